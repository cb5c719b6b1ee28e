#include "lock/engines/journal.hpp"

#include <doctest/doctest.h>

#include <memory>

#include "support/faulty_disk.hpp"
#include "support/lock_engine_rig.hpp"

namespace zerosuite::test::journal_test {

using namespace lock::engines;
using lock::Token;

struct Desk : HandDisk {
  explicit Desk(Durability durability = Durability::kSync) {
    meta.token_limit = kTokenBlock;
    meta.max_lease_ms = 1024;
    meta.durability = durability;
    meta.clean = false;
    store.emplace(folder.path());
    store->begin(meta, false);
    journal.emplace(timers, offload, *store, Journal::Setup{durability, meta, [] {}});
  }
  Row row(const std::string& name) const { return std::make_shared<lock::LockSpec>(spec({name})); }
  // Waits for what gathers; notes "1 " when it was written, and "1! " when not.
  void wait(const std::string& what) {
    db::CommitQueue& commits = journal->commits();
    commits.follow(commits.gathering(), {.done = [this, what](const core::Error* error) {
                     notes += what + (error != nullptr ? "! " : " ");
                   }});
  }
  void work() {
    turn();
    REQUIRE(offload.waiting.size() == 1);
    offload.work();
  }
  // What is on the disk.
  Recovered stored() {
    journal.reset();
    store.reset();
    return HoldStore(folder.path()).take_recovered();
  }

  FaultyDisk disk;
  TemporaryFolder folder;
  Meta meta;
  std::optional<HoldStore> store;
  std::optional<Journal> journal;
  std::string notes;
};

TEST_CASE("what nobody waits for is written a little later, or with what somebody waits for") {
  for (const auto& [durability, delay] :
       {std::pair(Durability::kSync, 20ms), std::pair(Durability::kAsync, 5ms)}) {
    Desk desk(durability);
    desk.journal->add(1, desk.row("a"));
    test::pass(desk.timers, delay - 1ms);
    CHECK(desk.offload.waiting.empty());
    test::pass(desk.timers, 1ms);
    desk.work();
    desk.journal->drop(1);
    desk.wait("1");
    desk.work();
    test::pass(desk.timers, 1s);
    CHECK(desk.offload.waiting.empty());
    CHECK(desk.stored().rows.empty());
  }
}

TEST_CASE_FIXTURE(Desk, "a row that comes and goes before it was written costs nothing") {
  journal->add(1, row("a"));
  journal->change(1, row("b"));
  CHECK_FALSE(journal->drop(1));
  test::pass(timers, 1s);
  CHECK(offload.waiting.empty());
}

TEST_CASE_FIXTURE(Desk, "a row that goes while it is being written is deleted with the next batch") {
  journal->add(1, row("a"));
  wait("1");
  turn();
  CHECK(journal->drop(1));
  wait("2");
  work();
  work();
  CHECK(notes == "1 2 ");
  CHECK(stored().rows.empty());
}

TEST_CASE_FIXTURE(Desk, "a batch that the offload has no room for keeps its rows") {
  offload.room = 0;
  journal->add(1, row("a"));
  wait("1");
  test::pass(timers, 100ms);
  journal->add(2, row("b"));
  offload.room = 1;
  test::pass(timers, 10ms);
  work();
  CHECK(stored().rows.size() == 2);
}

TEST_CASE("tokens and leases are covered once that is written, and tokens before they run out") {
  Desk desk(Durability::kNone);
  CHECK(desk.journal->covers(kTokenBlock - 1, 1024ms));
  CHECK_FALSE(desk.journal->covers(kTokenBlock, 1024ms));
  CHECK_FALSE(desk.journal->covers(1, 1025ms));
  desk.journal->reserve(kTokenBlock / 2 - 1, 1024ms);
  desk.turn();
  CHECK(desk.offload.waiting.empty());
  desk.journal->reserve(kTokenBlock / 2, 1025ms);
  desk.turn();
  CHECK_FALSE(desk.journal->covers(kTokenBlock, 1025ms));
  desk.work();
  CHECK(desk.journal->covers(2 * kTokenBlock - 1, 1025ms));
  CHECK_FALSE(desk.journal->covers(1, 1026ms));
  const auto meta = desk.stored().meta;
  CHECK(meta->token_limit == 2 * kTokenBlock);
  CHECK(meta->max_lease_ms == 1025);
}

TEST_CASE("what is no longer covered is so from the moment when that is on its way") {
  Desk desk(Durability::kNone);
  desk.journal->shorten(100ms);
  desk.journal->reserve(1, 1000ms);
  CHECK(desk.journal->covers(1, 1000ms));
  desk.journal->shorten(100ms);
  desk.turn();
  CHECK_FALSE(desk.journal->covers(1, 1000ms));
  desk.journal->reserve(1, 1000ms);
  desk.wait("1");
  desk.work();
  CHECK_FALSE(desk.journal->covers(1, 1000ms));
  desk.work();
  CHECK(desk.journal->covers(1, 1000ms));
  CHECK(desk.notes == "1 ");
  CHECK(desk.stored().meta->max_lease_ms == 1000);
}

TEST_CASE("what a failed write may have left is not counted on") {
  Desk desk(Durability::kAsync);
  desk.journal->shorten(100ms);
  desk.journal->add(1, desk.row("a"));
  desk.disk.fail(FaultyDisk::Fault::kFullOnce, 3);
  desk.work();
  CHECK_FALSE(desk.journal->covers(1, 1000ms));
}

TEST_CASE_FIXTURE(Desk, "no lease is too long to be covered") {
  journal->reserve(1, core::milliseconds::max());
  work();
  CHECK(journal->covers(1, core::milliseconds::max()));
}

TEST_CASE_FIXTURE(Desk, "what changed while the failing batch was on its way is what is written in the end") {
  journal->add(1, row("a"));
  journal->add(2, row("b"));
  wait("1");
  work();
  disk.fail(FaultyDisk::Fault::kFullOnce, 1);
  journal->change(1, row("c"));
  journal->drop(2);
  journal->add(3, row("d"));
  journal->add(4, row("e"));
  test::pass(timers, 20ms);
  journal->change(1, row("f"));
  journal->drop(3);
  journal->change(4, row("g"));
  work();
  CHECK_FALSE(journal->drop(4));  // never was written
  test::pass(timers, 1s);
  work();
  const auto rows = stored().rows;
  REQUIRE(rows.size() == 1);
  CHECK(rows.at(1)->names[0] == "f");
}

}  // namespace zerosuite::test::journal_test
