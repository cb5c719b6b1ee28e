#include "lock/engines/hold_store.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>

#include "db/database.hpp"
#include "support/faulty_disk.hpp"
#include "support/lock_engine_rig.hpp"

namespace zerosuite::test::store_test {

using namespace lock::engines;

Row row(const lock::LockSpec& spec) { return std::make_shared<lock::LockSpec>(spec); }

struct Shelf {
  std::filesystem::path path() const { return above.path() / "locks"; }
  std::filesystem::path file() const { return path() / "locks.db"; }
  std::filesystem::path log() const { return path() / "locks.db-wal"; }

  // Leaves a folder with some holds in the file, and none in the log.
  void fill(int holds = 200) const {
    HoldStore store(path());
    store.begin(meta, false);
    Batch batch;
    for (int token = 1; token <= holds; ++token)
      batch.changes[token] = {row(test::spec({"name-" + std::to_string(token)})), true};
    store.write(batch);
    batch.changes.clear();
    batch.meta = meta;
    store.write(batch);
    write_file(log(), "");
  }
  // What opening it fails with; empty when it does not.
  std::string failure() const {
    try {
      const HoldStore store(path());
    } catch (const core::Failure& failure) {
      CHECK(failure.name() == "StorageError");
      return failure.what();
    }
    return {};
  }
  void damage(const std::filesystem::path& what, const std::function<void(std::string&)>& how) const {
    std::string content = content_of(what);
    REQUIRE_FALSE(content.empty());
    how(content);
    write_file(what, content);
  }
  std::string advice() const {
    return "; to go on, move " + path().string() +
           " away and start with an empty folder, once the longest lease ever granted has passed";
  }

  TemporaryFolder above;
  Meta meta{.durability = Durability::kSync, .clean = false, .token_limit = 1000, .max_lease_ms = 4096};
};

TEST_CASE_FIXTURE(Shelf, "a new folder holds nothing and knows of no earlier process") {
  HoldStore store(path());
  const Recovered legacy = store.take_recovered();
  CHECK_FALSE(legacy.meta);
  CHECK(legacy.rows.empty());
  CHECK(legacy.log == db::LogState::kWhole);
}

TEST_CASE_FIXTURE(Shelf, "what was written is there again, every field of it") {
  auto spec = permits({"3:a", std::string("b\0c", 3), ""}, 2, 7);
  spec.owner = "ann \xff";
  spec.lease = core::milliseconds(123'456);
  spec.lock_delay = core::milliseconds(5);
  spec.count = 4'000'000'000;
  spec.records = {{lock::Record::Kind::kAcquire, "3:r", 1},
                  {lock::Record::Kind::kRelease, std::string("r0:1:\0", 6), 4'000'000'000}};
  spec.confirm = core::milliseconds(7);
  spec.held = core::milliseconds(8);
  spec.data = std::string("\0data", 5);
  {
    HoldStore store(path());
    store.begin(meta, false);
    store.write({{{5, {row(spec), true}}, {6, {row(test::spec({"x"})), true}}}, std::nullopt});
    store.write({{{6, {}}}, std::nullopt});
  }
  const Recovered legacy = HoldStore(path()).take_recovered();
  CHECK(legacy.meta == meta);
  REQUIRE(legacy.rows.size() == 1);
  CHECK(*legacy.rows.at(5) == spec);
}

TEST_CASE_FIXTURE(Shelf, "a start may forget the rows") {
  fill();
  {
    HoldStore store(path());
    CHECK(store.take_recovered().rows.size() == 200);
    store.begin(meta, true);
  }
  CHECK(HoldStore(path()).take_recovered().rows.empty());
}

TEST_CASE("a database that is not what was written is refused, in one line") {
  const Shelf shelf;
  shelf.fill();
  SUBCASE("a bit of a row") {
    shelf.damage(shelf.file(), [](std::string& content) { content[content.rfind("name-150") + 6] ^= 1; });
  }
  SUBCASE("the meta row") { db::Database(shelf.file()).exec("UPDATE meta SET max_lease_ms = 1"); }
  SUBCASE("no meta row") { db::Database(shelf.file()).exec("DELETE FROM meta"); }
  SUBCASE("a newer version") { db::Database(shelf.file()).exec("PRAGMA user_version = 3"); }
  SUBCASE("no table") { db::Database(shelf.file()).exec("DROP TABLE hold"); }
  const std::string failure = shelf.failure();
  CAPTURE(failure);
  CHECK(failure.starts_with(shelf.file().string() + " "));
  CHECK(failure.ends_with(shelf.advice()));
  CHECK(failure.find('\n') == failure.npos);
}

TEST_CASE_FIXTURE(Shelf, "no flipped bit of a database changes a hold unnoticed") {
  fill(5);
  const auto before = HoldStore(path()).take_recovered();
  const std::string whole = content_of(file());
  int refused = 0;
  for (std::size_t at = 0; at<whole.size(); at += at % 4096> 100 && at % 4096 < 3600 ? 61 : 1) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << (at % 8)));
    write_file(file(), flipped);
    write_file(log(), "");
    CAPTURE(at);
    try {
      const auto legacy = HoldStore(path()).take_recovered();
      CHECK(legacy.meta == before.meta);
      REQUIRE(legacy.rows.size() == before.rows.size());
      for (const auto& [token, spec] : before.rows) CHECK(*legacy.rows.at(token) == *spec);
    } catch (const core::Failure&) {
      ++refused;
    }
  }
  CHECK(refused > 500);
}

// As version 1 of the file wrote it, row for row: a lock entered twice, a set, a reader, permits.
void write_first_version(const std::filesystem::path& file) {
  const db::Database database(file);
  for (const char* sql :
       {"PRAGMA application_id = 1515408459", "PRAGMA user_version = 1",
        "CREATE TABLE hold(token INTEGER PRIMARY KEY, names TEXT, owner TEXT, mode INTEGER, permits INTEGER, "
        "permit_limit INTEGER, lease_ms INTEGER, lock_delay_ms INTEGER, count INTEGER, request_id TEXT, data "
        "TEXT, checksum INTEGER)",
        "INSERT INTO hold VALUES(1838923542074369,'3:one','ann',0,1,1,60000,5,2,'second','what for',"
        "-5799330855483823959)",
        "INSERT INTO hold VALUES(1838923542074370,'1:a1:b','bob',0,1,1,10000,0,1,'','',5606476268163374733)",
        "INSERT INTO hold VALUES(1838923542074371,'4:read','cat',1,1,1,20000,0,1,'7','',5554439496878238044)",
        "INSERT INTO hold VALUES(1838923542074372,'3:sem','dan',2,2,5,40000,0,1,'','',-1379566985533164077)",
        "CREATE TABLE meta(id INTEGER PRIMARY KEY, durability INTEGER, clean INTEGER, token_limit INTEGER, "
        "max_lease_ms INTEGER, epoch INTEGER, checksum INTEGER, probes INTEGER)",
        "INSERT INTO meta VALUES(1,0,1,1838923543122945,65536,1,-7200442825314444388,0)"})
    database.exec(sql);
}

TEST_CASE_FIXTURE(
    Shelf, "a database of the first version is taken over with all that was held, and is of this one then") {
  std::filesystem::create_directories(path());
  write_first_version(file());
  write_file(path() / "lock", "zerosuite-lock\n3134\n");
  lock::LockSpec one = test::spec({"one"}, "ann");
  one.lease = core::milliseconds(60'000);
  one.lock_delay = core::milliseconds(5);
  one.count = 2;
  one.data = "what for";
  one.records = {{lock::Record::Kind::kAcquire, "second", 2}};
  lock::LockSpec set = test::spec({"a", "b"}, "bob");
  set.lease = core::milliseconds(10'000);
  const auto check = [&](const Recovered& legacy) {
    CHECK(legacy.log == db::LogState::kWhole);
    REQUIRE(legacy.rows.size() == 4);
    CHECK(*legacy.rows.at(1838923542074369) == one);
    CHECK(*legacy.rows.at(1838923542074370) == set);
    CHECK(legacy.rows.at(1838923542074371)->record(lock::Record::Kind::kAcquire, "7") != nullptr);
    CHECK(legacy.rows.at(1838923542074372)->permits == 2);
  };
  Meta old;
  {
    HoldStore store(path());
    const Recovered legacy = store.take_recovered();
    check(legacy);
    old = *legacy.meta;
    CHECK(old.token_limit == 1838923543122945);
  }
  check(HoldStore(path()).take_recovered());  // looking changes nothing
  HoldStore(path()).begin(old, false);
  CHECK(db::Database(file()).integer("PRAGMA user_version") == 2);
  check(HoldStore(path()).take_recovered());
  HoldStore(path()).begin(old, true);
  CHECK(HoldStore(path()).take_recovered().rows.empty());
}

TEST_CASE("a power cut while a database is taken over leaves the old one or the new one") {
  int fault = 0;
  bool fired = true;
  while (fired) {
    FaultyDisk disk;
    const Shelf shelf;
    std::filesystem::create_directories(shelf.path());
    write_first_version(shelf.file());
    disk.fail(FaultyDisk::Fault::kWrite, ++fault);
    try {
      HoldStore(shelf.path()).begin({.clean = false}, false);
    } catch (const core::Failure&) {
    }
    fired = disk.fired();
    disk.heal();
    disk.cut_power(static_cast<unsigned int>(fault));
    CHECK(HoldStore(shelf.path()).take_recovered().rows.size() == 4);
  }
  CHECK(fault > 3);
}

}  // namespace zerosuite::test::store_test
