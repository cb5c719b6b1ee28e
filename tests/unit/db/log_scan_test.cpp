#include <doctest/doctest.h>

#include <string>

#include "db/database.hpp"
#include "db/write_ahead_log.hpp"
#include "support/temporary_folder.hpp"

namespace zerosuite::test::log_scan_test {

using db::LogState;

constexpr std::size_t kHeader = 32;
constexpr std::size_t kFrame = 24 + 4096;

// A log of a few commits, each of a single frame.
struct Log {
  Log() {
    const db::Database database(folder.path() / "x.db");
    database.exec("CREATE TABLE t(a)");
    database.text("PRAGMA journal_mode = WAL");
    for (int row = 0; row < 4; ++row) database.exec("INSERT INTO t VALUES(1)");
    bytes = content_of(path());
    REQUIRE(bytes.size() == kHeader + 4 * kFrame);
  }
  std::filesystem::path path() const { return folder.path() / "x.db-wal"; }
  LogState state(const std::string& log) const {
    write_file(path(), log);
    return db::scan_log(path());
  }
  std::string flipped(std::size_t at, int bit = 0) const {
    std::string log = bytes;
    log[at] = static_cast<char>(log[at] ^ (1 << bit));
    return log;
  }
  // How many rows SQLite finds with that log.
  std::int64_t rows(const std::string& log) const {
    write_file(path(), log);
    return db::Database(folder.path() / "x.db").integer("SELECT count(*) FROM t");
  }

  TemporaryFolder folder;
  std::string bytes;
};

TEST_CASE_FIXTURE(Log,
                  "a log that is whole has lost nothing; of one that is empty or not there nobody can tell") {
  CHECK(state(bytes) == LogState::kWhole);
  for (const std::size_t size : {0, 1, 32, 33, 55}) CHECK(state(bytes.substr(0, size)) == LogState::kMissing);
  CHECK(db::scan_log(folder.path() / "none") == LogState::kMissing);
}

TEST_CASE_FIXTURE(Log, "what was noted of a log shows that it was cut off, also behind a commit") {
  const auto state = [&](std::size_t size, std::int64_t pages) {
    write_file(path(), bytes.substr(0, size));
    return db::scan_log(path(), {.open = true, .pages = pages});
  };
  CHECK(state(kHeader + 4 * kFrame, 4) == LogState::kWhole);
  CHECK(state(kHeader + 4 * kFrame, 3) == LogState::kWhole);
  CHECK(state(kHeader + 3 * kFrame, 4) == LogState::kDamaged);
  CHECK(state(kHeader + 3 * kFrame, 3) == LogState::kWhole);
  CHECK(state(kHeader + 3 * kFrame + 100, 4) == LogState::kLastTorn);
  CHECK(state(kHeader + 2 * kFrame + 100, 4) == LogState::kDamaged);
}

TEST_CASE_FIXTURE(Log, "what a failed commit left behind the noted pages is no loss") {
  write_file(path(), flipped(kHeader + 3 * kFrame + 500));
  CHECK(db::scan_log(path(), {.open = true, .pages = 3}) == LogState::kLastTorn);
  CHECK(db::scan_log(path(), {.open = true, .pages = 3, .leftovers = true}) == LogState::kWhole);
  CHECK(db::scan_log(path(), {.open = true, .pages = 4, .leftovers = true}) == LogState::kLastTorn);
}

TEST_CASE("a note of a log is one line, and of what is none it is silent") {
  for (const db::LogNote& note : {db::LogNote{}, db::LogNote{.open = true, .pages = 12},
                                  db::LogNote{.open = true, .pages = 0, .leftovers = true}})
    CHECK(db::LogNote::parse(note.line()) == note);
  for (const char* line : {"", "log", "no", "closed"}) CHECK(db::LogNote::parse(line) == db::LogNote{});
}

TEST_CASE_FIXTURE(Log, "a bit flipped anywhere in a log is found, where SQLite only drops the rest") {
  constexpr std::size_t kLast = kHeader + 3 * kFrame;
  for (const std::size_t at :
       {std::size_t{0}, std::size_t{5}, std::size_t{10}, std::size_t{17}, std::size_t{21}, std::size_t{25},
        kHeader + 3, kHeader + 9, kHeader + 13, kHeader + 17, kHeader + 24, kHeader + 3000,
        kHeader + kFrame + 500, kLast - 1, kLast, kLast + 9, kLast + 13, kLast + 17, kLast + kFrame - 1}) {
    CAPTURE(at);
    CHECK(state(flipped(at, 3)) == (at < kLast ? LogState::kDamaged : LogState::kLastTorn));
    CHECK(rows(flipped(at, 3)) < 4);
  }
}

TEST_CASE_FIXTURE(Log, "a commit mark that was flipped away is found while commits follow it") {
  std::string unmarked = bytes;
  unmarked.replace(kHeader + kFrame + 4, 4, 4, '\0');
  CHECK(state(unmarked) == LogState::kDamaged);
}

TEST_CASE_FIXTURE(Log, "a torn last write without a commit mark is ordinary") {
  std::string torn = bytes;
  torn.replace(kHeader + 3 * kFrame + 4, 4, 4, '\0');
  CHECK(state(torn) == LogState::kWhole);
  CHECK(state(bytes.substr(0, kHeader + 3 * kFrame + 20)) == LogState::kWhole);
  CHECK(state(bytes.substr(0, kHeader + 3 * kFrame)) == LogState::kWhole);
}

TEST_CASE_FIXTURE(Log, "a last write with its commit mark but not all of its page may have been a commit") {
  CHECK(state(bytes.substr(0, kHeader + 3 * kFrame + 1000)) == LogState::kLastTorn);
}

TEST_CASE_FIXTURE(Log, "frames of an earlier round of the log are no loss") {
  std::string old = bytes;
  for (std::size_t frame = 2; frame < 4; ++frame) {
    for (std::size_t at = 8; at < 16; ++at) old[kHeader + frame * kFrame + at] ^= 0x55;
  }
  CHECK(state(old) == LogState::kWhole);
  // As SQLite itself leaves them behind.
  {
    const db::Database database(folder.path() / "x.db");
    write_file(path(), bytes);
    database.text("PRAGMA wal_checkpoint(PASSIVE)");
    database.exec("INSERT INTO t VALUES(1)");
  }
  CHECK(content_of(path()).size() == bytes.size());
  CHECK(db::scan_log(path()) == LogState::kWhole);
}

}  // namespace zerosuite::test::log_scan_test
