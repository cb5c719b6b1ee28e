#include "db/database.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <string>
#include <vector>

#include "support/faulty_disk.hpp"
#include "support/temporary_folder.hpp"

namespace zerosuite::test::database_test {

using db::Database;

TEST_CASE_FIXTURE(TemporaryFolder, "what is bound comes back, whatever bytes it has") {
  const Database database(path() / "x.db");
  database.exec("CREATE TABLE t(a INTEGER, b TEXT)");
  auto insert = database.prepare("INSERT INTO t VALUES(?1, ?2)");
  const std::vector<std::string> texts = {"", "plain", std::string("a\0b", 3), "\xff\xfe"};
  for (std::int64_t row = 0; row < 4; ++row)
    insert.bind(1, row - (std::int64_t{1} << 62)).bind(2, texts[static_cast<std::size_t>(row)]).run();
  auto select = database.prepare("SELECT a, b FROM t ORDER BY a");
  for (std::int64_t row = 0; row < 4; ++row) {
    REQUIRE(select.step());
    CHECK(select.integer(0) == row - (std::int64_t{1} << 62));
    CHECK(select.text(1) == texts[static_cast<std::size_t>(row)]);
  }
  CHECK_FALSE(select.step());
  CHECK(database.integer("SELECT count(*) FROM t WHERE b IS NULL") == 0);
}

TEST_CASE_FIXTURE(TemporaryFolder, "a failure says which file and what SQLite says of it") {
  const auto file = path() / "x.db";
  const Database database(file);
  database.exec("CREATE TABLE t(a UNIQUE)");
  CHECK_THROWS_WITH(database.exec("SELECT * FROM nowhere"),
                    (file.string() + ": no such table: nowhere").c_str());
  auto insert = database.prepare("INSERT INTO t VALUES(1)");
  insert.run();
  CHECK_THROWS_WITH(insert.run(), (file.string() + ": UNIQUE constraint failed: t.a").c_str());
  database.exec("DELETE FROM t");
  insert.run();  // usable again
  CHECK(database.integer("SELECT count(*) FROM t") == 1);
  CHECK_THROWS_AS(Database(path() / "no" / "x.db"), db::SqliteFailure);
}

TEST_CASE("a full disk is told from a file that is wrong, and both from a disk that fails") {
  FaultyDisk disk;
  const TemporaryFolder folder;
  const auto failure_of = [](const std::filesystem::path& file) -> std::pair<bool, bool> {
    try {
      const Database database(file);
      database.exec("CREATE TABLE t(a)");
    } catch (const db::SqliteFailure& failure) {
      CHECK(failure.name() == "StorageError");
      return {failure.full(), failure.damaged()};
    }
    FAIL("nothing failed");
    return {};
  };
  write_file(folder.path() / "text", std::string(5000, 'x'));
  CHECK(failure_of(folder.path() / "text") == std::pair(false, true));
  disk.fail(FaultyDisk::Fault::kFull, 2);
  CHECK(failure_of(folder.path() / "full") == std::pair(true, false));
  disk.fail(FaultyDisk::Fault::kWrite, 2);
  CHECK(failure_of(folder.path() / "bad") == std::pair(false, false));
}

TEST_CASE_FIXTURE(TemporaryFolder, "a connection that goes leaves its log as it is") {
  const auto log = path() / "x.db-wal";
  std::string before;
  {
    const Database database(path() / "x.db");
    CHECK(database.text("PRAGMA journal_mode = WAL") == "wal");
    database.exec("CREATE TABLE t(a)");
    CHECK(database.log_pages() > 0);
    before = content_of(log);
    CHECK_FALSE(before.empty());
  }
  CHECK(content_of(log) == before);
}

TEST_CASE_FIXTURE(TemporaryFolder, "a rollback undoes the open transaction, and is nothing without one") {
  const Database database(path() / "x.db");
  database.exec("CREATE TABLE t(a)");
  database.roll_back();
  database.exec("BEGIN");
  database.exec("INSERT INTO t VALUES(1)");
  database.roll_back();
  CHECK(database.integer("SELECT count(*) FROM t") == 0);
}

TEST_CASE_FIXTURE(
    TemporaryFolder,
    "the files are for their owner only, also where they were there before and others could read them") {
  ::chmod(path().c_str(), 0755);
  const auto file = path() / "x.db";
  SUBCASE("new") {}
  SUBCASE("there before") {
    Database(file).exec("CREATE TABLE t(a)");
    ::chmod(file.c_str(), 0644);
  }
  const Database database(file);
  database.text("PRAGMA journal_mode = WAL");
  database.exec("CREATE TABLE u(a)");
  for (const char* name : {"x.db", "x.db-wal"}) {
    struct stat found {};
    REQUIRE(::stat((path() / name).c_str(), &found) == 0);
    CHECK((found.st_mode & 0777) == 0600);
  }
}

TEST_CASE_FIXTURE(TemporaryFolder, "commits are synced when that is asked for") {
  const Database database(path() / "x.db");
  database.exec("PRAGMA synchronous = OFF");
  CHECK(database.sync_every_commit());
  CHECK(database.integer("PRAGMA synchronous") == 2);
}

}  // namespace zerosuite::test::database_test
