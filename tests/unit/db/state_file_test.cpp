#include "db/state_file.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>

#include "support/faulty_disk.hpp"

namespace zerosuite::test::state_file_test {

using db::LogState;
using db::StateFile;
using IfGone = db::StateFile::IfGone;

const std::string kAdvice = "; to go on, ask";

db::StateFormat format() {
  return {.file = "words.db",
          .mark = "words",
          .kind = "a file of words",
          .application_id = 7,
          .version = 2,
          .schema = {"CREATE TABLE word(word TEXT)"},
          .advice = kAdvice,
          .version_advice = "; it is too new"};
}

struct Shelf {
  std::filesystem::path path() const { return above.path() / "words"; }
  std::filesystem::path file() const { return path() / "words.db"; }
  std::filesystem::path log() const { return path() / "words.db-wal"; }

  // Leaves a folder with 200 words in the file, and none in the log.
  void fill() const {
    StateFile opened(path(), format());
    opened.open(IfGone::kRefuse);
    opened.start([&] {
      for (int row = 0; row < 200; ++row) write(opened, std::string(100, 'w'));
    });
    opened.finish();
  }
  static void write(const StateFile& opened, const std::string& word) {
    opened.database().prepare("INSERT INTO word VALUES(?1)").bind(1, word).run();
  }
  // What opening it fails with; empty when it does not.
  std::string failure(IfGone if_gone = IfGone::kRefuse) const {
    try {
      StateFile(path(), format()).open(if_gone);
    } catch (const core::Failure& failure) {
      CHECK(failure.name() == "StorageError");
      return failure.what();
    }
    return {};
  }
  std::int64_t words() const {
    StateFile opened(path(), format());
    opened.open(IfGone::kRefuse);
    return opened.database().integer("SELECT count(*) FROM word");
  }
  void damage(const std::filesystem::path& what, const std::function<void(std::string&)>& how) const {
    std::string content = content_of(what);
    REQUIRE_FALSE(content.empty());
    how(content);
    write_file(what, content);
  }

  TemporaryFolder above;
};

// An opened file, started on.
struct Opened {
  explicit Opened(const Shelf& shelf) : file(shelf.path(), format()) {
    file.open(IfGone::kRefuse);
    file.start([] {});
  }
  void write(const std::string& word) {
    try {
      file.begin();
      Shelf::write(file, word);
      file.commit();
    } catch (const core::Failure&) {
      file.roll_back();
      throw;
    }
  }

  StateFile file;
};

struct Filled : Shelf {
  Filled() { fill(); }
};

TEST_CASE_FIXTURE(Shelf, "a new folder gets a file of the format, and is known from its first start") {
  {
    StateFile file(path(), format());
    CHECK_FALSE(file.known());
    CHECK_FALSE(file.gone());
    file.open(IfGone::kRefuse);
    CHECK(file.version() == 2);
    CHECK(file.database().integer("PRAGMA synchronous") == 2);
  }
  CHECK_FALSE(StateFile(path(), format()).known());
  { const Opened started(*this); }
  CHECK(StateFile(path(), format()).known());
}

TEST_CASE("a folder killed in the middle of its making is made anew") {
  int fault = 0;
  bool fired = true;
  while (fired) {
    FaultyDisk disk;
    const Shelf shelf;
    disk.fail(FaultyDisk::Fault::kWrite, ++fault);
    try {
      const Opened started(shelf);
    } catch (const core::Failure&) {
    }
    fired = disk.fired();
    disk.heal();
    disk.cut_power(static_cast<unsigned int>(fault));
    CHECK(shelf.failure() == "");
  }
  CHECK(fault > 5);
}

TEST_CASE_FIXTURE(
    Filled, "a file that is gone from a folder in use is not taken for a new one, unless that is accepted") {
  SUBCASE("removed") { std::filesystem::remove(file()); }
  SUBCASE("empty") { write_file(file(), ""); }
  CHECK(StateFile(path(), format()).gone());
  CHECK(failure() == file().string() + " is gone, though the folder was in use" + kAdvice);
  CHECK(failure(IfGone::kMakeAnew) == "");
  CHECK(words() == 0);
}

TEST_CASE_FIXTURE(Shelf, "a file that is no database, or another program's, is refused and left alone") {
  std::filesystem::create_directories(path());
  std::string says;
  SUBCASE("text") {
    write_file(file(), std::string(10'000, 'x'));
    says = "file is not a database";
  }
  SUBCASE("foreign") {
    db::Database(file()).exec("CREATE TABLE t(a)");
    says = "is not a file of words";
  }
  const std::string before = content_of(file());
  for (const auto if_gone : {IfGone::kRefuse, IfGone::kMakeAnew})
    CHECK(failure(if_gone) == file().string() + " " + says + kAdvice);
  CHECK(content_of(file()) == before);
}

TEST_CASE_FIXTURE(Filled, "a newer version's file is refused and left alone") {
  db::Database(file()).exec("PRAGMA user_version = 3");
  const std::string before = content_of(file());
  CHECK(failure() == file().string() + " was written by another version of this program; it is too new");
  CHECK(content_of(file()) == before);
}

TEST_CASE("an older version's file is the newer one's once it was started on") {
  const Shelf shelf;
  shelf.fill();
  db::Database(shelf.file()).exec("PRAGMA user_version = 1");
  {
    StateFile file(shelf.path(), format());
    file.open(IfGone::kRefuse);
    CHECK(file.version() == 1);
    CHECK_THROWS_AS(file.start([&] {
      Shelf::write(file, "half");
      throw core::Failure(core::kStorageError, "no");
    }),
                    core::Failure);
  }
  CHECK(db::Database(shelf.file()).integer("PRAGMA user_version") == 1);
  { const Opened started(shelf); }
  CHECK(db::Database(shelf.file()).integer("PRAGMA user_version") == 2);
  CHECK(shelf.words() == 200);
}

TEST_CASE("a file that is damaged is refused, in one line, and left alone") {
  const Shelf shelf;
  shelf.fill();
  REQUIRE(std::filesystem::file_size(shelf.file()) >= 5 * 4096);
  std::string says;
  SUBCASE("cut at a page") {
    shelf.damage(shelf.file(), [](std::string& content) { content.resize(4 * 4096); });
    says = "malformed";
  }
  SUBCASE("the last page's header") {
    shelf.damage(shelf.file(),
                 [](std::string& content) { content.replace(content.size() - 4096, 200, 200, 'x'); });
    says = "is damaged: ";
  }
  SUBCASE("cut within a page") {
    shelf.damage(shelf.file(), [](std::string& content) { content.resize(9000); });
  }
  SUBCASE("cut within its header") {
    shelf.damage(shelf.file(), [](std::string& content) { content.resize(50); });
  }
  SUBCASE("a bit of its header") {
    shelf.damage(shelf.file(), [](std::string& content) { content[3] ^= 1; });
  }
  SUBCASE("a bit of its structure") {
    shelf.damage(shelf.file(), [](std::string& content) { content[4 * 4096 + 3] ^= 4; });
  }
  SUBCASE("a page of zeros") {
    shelf.damage(shelf.file(), [](std::string& content) { content.replace(3 * 4096, 4096, 4096, '\0'); });
  }
  const std::string before = content_of(shelf.file());
  const std::string failure = shelf.failure();
  CAPTURE(failure);
  CHECK(failure.starts_with(shelf.file().string() + " "));
  CHECK(failure.ends_with(kAdvice));
  CHECK(failure.find(says) != failure.npos);
  CHECK(failure.find('\n') == failure.npos);
  CHECK(shelf.failure() == failure);
  CHECK(content_of(shelf.file()) == before);
}

TEST_CASE("what is found damaged later is refused in the same words") {
  const Shelf shelf;
  shelf.fill();
  StateFile file(shelf.path(), format());
  file.open(IfGone::kRefuse);
  CHECK_THROWS_WITH(file.guarded([&] { file.database().integer("SELECT a FROM none"); }),
                    (shelf.file().string() + " no such table: none" + kAdvice).c_str());
}

TEST_CASE_FIXTURE(Filled, "a folder given by a relative path is complained of as well as any other") {
  write_file(file(), std::string(10'000, 'x'));
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(path());
  std::string failure;
  try {
    StateFile(".", format()).open(IfGone::kRefuse);
  } catch (const core::Failure& refusal) {
    failure = refusal.what();
  }
  std::filesystem::current_path(before);
  CHECK(failure == "./words.db file is not a database" + kAdvice);
}

TEST_CASE("what is wrong with the log is told, and what stands before it is there") {
  const Shelf shelf;
  shelf.fill();
  {
    Opened opened(shelf);
    for (int word = 0; word < 5; ++word) opened.write("late");
  }
  LogState state = LogState::kWhole;
  std::int64_t late = 4;
  SUBCASE("in its middle") {
    shelf.damage(shelf.log(), [](std::string& log) { log[32 + 24 + 50] ^= 1; });
    state = LogState::kDamaged;
    late = 0;
  }
  SUBCASE("in its last commit") {
    shelf.damage(shelf.log(), [](std::string& log) { log.back() ^= 1; });
    state = LogState::kLastTorn;
  }
  SUBCASE("at its torn end") {
    shelf.damage(shelf.log(), [](std::string& log) { log.resize(log.size() - 24 - 4096 + 4); });
    write_file(shelf.path() / "lock", "words\n1\nlog 4\n");  // it was never finished
  }
  SUBCASE("behind a commit") {
    shelf.damage(shelf.log(), [](std::string& log) { log.resize(log.size() - 24 - 4096); });
    state = LogState::kDamaged;
  }
  SUBCASE("all of it") {
    std::filesystem::remove(shelf.log());
    state = LogState::kMissing;
    late = 0;
  }
  {
    const StateFile file(shelf.path(), format());
    CHECK(file.log() == state);
    CHECK(file.log_was_open());
  }
  CHECK(shelf.words() == 200 + late);
}

TEST_CASE_FIXTURE(Shelf, "after an end in good order the file alone is all there is") {
  {
    Opened opened(*this);
    opened.write("last");
    opened.file.finish();
  }
  std::filesystem::remove(log());
  CHECK_FALSE(StateFile(path(), format()).log_was_open());
  CHECK(words() == 1);
}

TEST_CASE_FIXTURE(Shelf, "a log that grew is worked into the file, and does not grow for ever") {
  Opened opened(*this);
  for (int round = 0; round < 500; ++round) opened.write(std::string(20'000, 'x'));
  CHECK(std::filesystem::file_size(log()) < 1200 * 4120);
  CHECK(std::filesystem::file_size(log()) > 900 * 4120);
}

TEST_CASE_FIXTURE(Shelf, "a transaction that is not committed leaves nothing behind") {
  Opened opened(*this);
  for (int round = 0; round < 2; ++round) {
    opened.file.begin();
    Shelf::write(opened.file, "word");
    opened.file.roll_back();
    CHECK(opened.file.database().integer("SELECT count(*) FROM word") == 0);
  }
}

TEST_CASE_FIXTURE(
    Shelf, "of a transaction that finds no room nothing is there, and the next one goes on without it") {
  int fault = 0;
  bool fired = true;
  while (fired) {
    FaultyDisk disk;
    std::filesystem::remove_all(path());
    {
      Opened opened(*this);
      disk.fail(FaultyDisk::Fault::kFullOnce, ++fault * 100);
      try {
        opened.write(std::string(5'000'000, 'x'));
      } catch (const db::SqliteFailure& failure) {
        CHECK(failure.full());
        opened.write("small");
      }
      fired = disk.fired();
    }
    CHECK(words() == 1);
  }
  CHECK(fault > 10);
}

TEST_CASE("what commits to a full disk left in the log is not taken for damage at the next start") {
  for (int first = 1; first < 20; ++first) {
    for (int second = 1; second < 10; ++second) {
      FaultyDisk disk;
      const Shelf shelf;
      {
        Opened opened(shelf);
        const auto try_to_write = [&](int nth, std::size_t size) {
          disk.fail(FaultyDisk::Fault::kFullOnce, nth);
          try {
            opened.write(std::string(size, 'x'));
          } catch (const db::SqliteFailure&) {
          }
          disk.heal();
          opened.write("probe");
        };
        try_to_write(first, 20'000);
        try_to_write(second, 5'000);
      }
      CHECK(StateFile(shelf.path(), format()).log() != LogState::kDamaged);
      CHECK(shelf.failure() == "");
    }
  }
}

}  // namespace zerosuite::test::state_file_test
