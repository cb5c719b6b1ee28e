// What the SQLite store does beside what every store must: its folder, its transactions, its restarts.
#include "id/stores/sqlite_store.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <vector>

#include "db/database.hpp"
#include "support/store_rigs.hpp"

namespace zerosuite::test::sqlite_store_test {

using id::Range, id::Tag;

// What the start fails with, as "name: message"; empty when it does not.
std::string failure_of(SqliteStoreRig& rig, bool accept_regressed = false) {
  try {
    rig.start(accept_regressed);
  } catch (const core::Failure& failure) {
    return failure.name() + ": " + failure.what();
  }
  return {};
}

void damage(const std::filesystem::path& file, const std::function<void(std::string&)>& how) {
  std::string content = content_of(file);
  REQUIRE_FALSE(content.empty());
  how(content);
  write_file(file, content);
}

TEST_CASE("a stop and a crash alike lose nothing that was answered") {
  for (const bool crash : {false, true}) {
    CAPTURE(crash);
    SqliteStoreRig rig;
    rig.range(counter("a"), 10);
    Tag tag = tag_of("t");
    tag.description = "kept";
    REQUIRE(rig.create_tag(tag));
    tag.next = rig.range(tag_key("t"), 20).hi;
    REQUIRE(rig.create_tag(tag_of("gone")));
    rig.range(tag_key("gone"), 30);
    REQUIRE(rig.delete_tag("gone"));
    REQUIRE(rig.pin("p", "v"));
    crash ? rig.restart_after_crash() : rig.restart();
    CHECK(rig.range(counter("a"), 1) == Range{11, 12});
    CHECK(*rig.tags() == std::vector<Tag>{tag});
    CHECK(rig.range(tag_key("t"), 1) == Range{21, 22});
    CHECK(rig.create_tag(tag_of("gone"))->next == 31);
    CHECK(*rig.pin("p", "other") == "v");
  }
}

TEST_CASE("a range is answered once it is on the disk, and not before") {
  SqliteStoreRig rig;
  int answers = 0;
  rig.store().reserve({.key = counter("a"), .count = 10}, [&](auto) { ++answers; });
  rig.timers.advance_to(rig.timers.now());
  REQUIRE(rig.offload.waiting.size() == 1);
  CHECK(answers == 0);
  CHECK_FALSE(rig.store().idle());
  rig.offload.waiting.front().first();
  CHECK(answers == 0);
  rig.restart_after_crash();  // it was written, and nobody was told: those ten are lost
  CHECK(rig.range(counter("a"), 1) == Range{11, 12});
  rig.store().reserve({.key = counter("a"), .count = 10}, [&](auto) { ++answers; });
  rig.restart_after_crash();
  CHECK(answers == 0);
  CHECK(rig.range(counter("a"), 1) == Range{12, 13});
}

TEST_CASE("a range of no values is refused by an exception") {
  SqliteStoreRig rig;
  CHECK_THROWS_AS(rig.store().reserve({.key = counter("a"), .count = 0}, [](auto) {}), core::Failure);
  CHECK_THROWS_AS(rig.store().reserve({.key = counter("a"), .count = -5}, [](auto) {}), core::Failure);
  CHECK(rig.range(counter("a"), 1) == Range{1, 2});
}

TEST_CASE("what is given back does not go below where a tag was set to by hand") {
  SqliteStoreRig rig;
  REQUIRE(rig.create_tag(tag_of("t")));
  const Range range = rig.range(tag_key("t"), 1000);
  REQUIRE(rig.update_tag("t", {.floor = range.hi}));
  CHECK_FALSE(*rig.give_back(tag_key("t"), {500, range.hi}));
  CHECK(rig.range(tag_key("t"), 10) == Range{1001, 1011});
  CHECK(*rig.give_back(tag_key("t"), {1005, 1011}));
  CHECK_FALSE(*rig.give_back(tag_key("t"), {1010, 1005}));
  REQUIRE(rig.delete_tag("t"));
  Tag again = tag_of("t");
  again.next = 1005;
  REQUIRE(rig.create_tag(again));
  CHECK_FALSE(*rig.give_back(tag_key("t"), {1001, 1005}));
}

TEST_CASE("what another process held is free, and taken over unless it was given back") {
  SqliteStoreRig rig;
  const auto first = *rig.claim(claim_by("first"));
  rig.restart_after_crash();
  const auto second = *rig.claim(claim_by("second"));
  CHECK(second.worker == 0);
  CHECK(second.epoch == first.epoch + 1);
  CHECK(second.taken_over);
  CHECK(name_of(rig.renew(claim_by("first"), first)) == "LeaseLost");
  CHECK(*rig.release(claim_by("second"), second));
  rig.restart();
  const auto third = *rig.claim(claim_by("third", 0));
  CHECK(third.epoch == second.epoch + 1);
  CHECK_FALSE(third.taken_over);
  CHECK(rig.store().traits().name == "sqlite");
  CHECK_FALSE(rig.store().traits().shared);
}

TEST_CASE("a lease in a folder of one's own never passes") {
  SqliteStoreRig rig;
  const auto lease = *rig.claim(claim_by("ann", 1));
  rig.pass(60s);
  CHECK(rig.renew(claim_by("ann", 1), lease)->epoch == lease.epoch);
  CHECK(name_of(rig.claim(claim_by("bob", 1))) == "WorkerIdInUse");
}

TEST_CASE("a second process on the folder is refused, with the folder and the process") {
  SqliteStoreRig rig;
  try {
    const id::stores::SqliteStore second(rig.timers, rig.offload, {rig.path()});
    FAIL("it was let in");
  } catch (const core::Failure& failure) {
    CHECK(failure.name() == "WorkerIdInUse");
    CHECK(failure.what() == rig.path().string() + " is in use by process " + std::to_string(::getpid()) +
                                ", which has its worker ids");
  }
}

TEST_CASE("a stop writes what is outstanding, and leaves all in the one file") {
  SqliteStoreRig rig;
  rig.range(counter("a"), 5);
  std::string told;
  rig.store().reserve({.key = counter("a"), .count = 5}, [&](auto range) {
    told += range ? "+" : "-";
    rig.store().reserve({.key = counter("a"), .count = 5}, [&](auto more) { told += more ? "+" : "-"; });
  });
  CHECK_FALSE(rig.close());
  CHECK(told == "++");
  std::filesystem::remove(rig.log());
  rig.start();
  CHECK(rig.range(counter("a"), 1) == Range{16, 17});
}

TEST_CASE("a file that is damaged stops the start, with advice on how to go on") {
  SqliteStoreRig rig;
  rig.close();
  damage(rig.file(), [](std::string& file) { file.assign(5000, 'x'); });
  CHECK(failure_of(rig) ==
        "StorageError: " + rig.file().string() +
            " file is not a database; to go on, move it away and start with "
            "--accept-regressed, which begins above what the floor file says was given out");
}

TEST_CASE("a file of another program, or of a later version, stops the start") {
  const auto refusal = [](const std::string& pragma) {
    SqliteStoreRig rig;
    rig.close();
    db::Database(rig.file()).exec(pragma);
    return failure_of(rig);
  };
  CHECK(
      refusal("PRAGMA user_version = 3").ends_with("ids.db was written by another version of this program"));
  CHECK(refusal("PRAGMA application_id = 1514359883").find("is not a database of ids") != std::string::npos);
}

TEST_CASE("a file of the first version is taken over, and nothing in it is given out again") {
  SqliteStoreRig rig;
  REQUIRE(rig.create_tag(tag_of("t")));
  rig.range(tag_key("t"), 10);
  REQUIRE(rig.update_tag("t", {.floor = 500}));
  rig.range(counter("a"), 10);
  rig.close();
  {
    const db::Database file(rig.file());
    file.exec("ALTER TABLE counter DROP COLUMN given");
    file.exec("PRAGMA user_version = 1");
  }
  rig.start();
  CHECK(rig.range(counter("a"), 1) == Range{11, 12});
  CHECK(name_of(rig.update_tag("t", {.floor = 11, .lower = true})) == "InvalidArgument");
  CHECK(rig.range(tag_key("t"), 1) == Range{500, 501});
  REQUIRE(rig.update_tag("t", {.floor = 1'000'000}));
  CHECK(rig.update_tag("t", {.floor = 1, .lower = true})->next == 501);
}

TEST_CASE("a file that is gone stops the start, unless that is accepted") {
  SqliteStoreRig rig;
  rig.range(counter("a"), 10);
  rig.crash();
  std::filesystem::remove(rig.file());
  CHECK(failure_of(rig).starts_with("StoreRegressed: " + rig.file().string() +
                                    " is gone, though the folder was in use; to go on, start with "
                                    "--accept-regressed"));
  CHECK_FALSE(std::filesystem::exists(rig.file()));
  CHECK(std::filesystem::exists(rig.log()));
  CHECK(failure_of(rig, true).empty());
  CHECK(rig.range(counter("a"), 1) == Range{1, 2});  // and nothing of the log that was left
  CHECK(rig.tags()->empty());
}

TEST_CASE("a log with a hole stops the start, unless that is accepted; a torn last commit does not") {
  const auto start = [](std::size_t from_end, bool accept_regressed) {
    SqliteStoreRig rig;
    for (int nth = 0; nth < 20; ++nth) rig.range(counter("a"), 10);
    rig.crash();
    damage(rig.log(), [&](std::string& log) { log[log.size() - from_end] ^= 1; });
    std::string failure = failure_of(rig, accept_regressed);
    if (failure.empty()) CHECK(rig.range(counter("a"), 1).lo >= 1);
    return failure;
  };
  CHECK(start(10, false).empty());
  const std::string refused = start(20'000, false);
  CHECK(refused.starts_with("StoreRegressed: "));
  CHECK(refused.find("ids.db has a damaged write-ahead log: what was given out last is missing; to go on") !=
        std::string::npos);
  CHECK(start(20'000, true).empty());
}

TEST_CASE("a log that is gone or cut off after a crash stops the start, unless that is accepted") {
  SqliteStoreRig rig;
  for (int nth = 0; nth < 5; ++nth) rig.range(counter("a"), 10);
  rig.crash();
  std::string says = "has lost its write-ahead log since a crash: what was given out last may be missing";
  SUBCASE("removed") { std::filesystem::remove(rig.log()); }
  SUBCASE("behind a commit") {
    damage(rig.log(), [](std::string& log) { log.resize(log.size() - 24 - 4096); });
    says = "has a damaged write-ahead log: what was given out last is missing";
  }
  CHECK(failure_of(rig).starts_with("StoreRegressed: " + rig.file().string() + " " + says + "; to go on, "));
  CHECK(failure_of(rig, true).empty());
  rig.restart();
  rig.close();
  std::filesystem::remove(rig.log());
  CHECK(failure_of(rig).empty());  // after a stop in good order there is nothing to miss
}

}  // namespace zerosuite::test::sqlite_store_test
