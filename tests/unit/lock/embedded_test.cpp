// What the embedded engine does at its start, and what it keeps over a stop, in good order or not.
#include <doctest/doctest.h>

#include <string>

#include "db/database.hpp"
#include "support/lock_engine_rig.hpp"

namespace embedded_test {

using namespace std::chrono_literals;
using namespace zerosuite;
using lock::Ending;
using lock::Token;
using lock::engines::Durability;
using test::claim;
using test::EmbeddedRig;
using test::leased;
using test::shared;

namespace {

constexpr Durability kAll[] = {Durability::kSync, Durability::kAsync, Durability::kNone};

// The error's name, or what it was that was acquired.
std::string outcome(EmbeddedRig& rig, const lock::Claim& wanted) {
  try {
    return rig.ask().acquire(wanted) > 0 ? "granted" : "taken";
  } catch (const core::Failure& failure) {
    return failure.name();
  }
}

}  // namespace

TEST_CASE("after a stop in good order every hold is back, its lease in full, and nobody waits") {
  for (const Durability durability : kAll) {
    EmbeddedRig rig(durability);
    auto ask = rig.ask();
    auto set = shared({"a", "b"}, "ann");
    set.lease = 10s;
    const Token ann = ask.acquire(set);
    set.count = 4;
    CHECK(ask.amend(ann, set));
    const Token bob = ask.acquire(claim({"c"}, "bob"));
    ask.release(ask.acquire(claim({"d"})));
    rig.pass(9s);
    CHECK_FALSE(rig.close());
    rig.start();
    CHECK(rig.engine().recovering() == 0ms);
    CHECK(rig.engine().warnings().empty());
    const auto held = rig.engine().holds();
    REQUIRE(held.size() == 2);
    CHECK(held[0].claim == set);
    CHECK(held[0].token == ann);
    CHECK(held[0].remaining == 10s);
    CHECK(held[1].token == bob);
    CHECK(outcome(rig, claim({"c"}, "cy")) == "taken");
    CHECK(outcome(rig, claim({"d"}, "cy")) == "granted");
    CHECK(ask.release(bob));
  }
}

TEST_CASE("after a crash in sync every grant is back, and nobody waits") {
  EmbeddedRig rig;
  auto ask = rig.ask();
  const Token ann = ask.acquire(claim({"a"}, "ann"));
  auto more = claim({"a"}, "ann");
  more.lease = 60s;
  more.count = 2;
  CHECK(ask.amend(ann, more));
  rig.pass(20s);
  rig.restart_after_crash();
  CHECK(rig.engine().recovering() == 0ms);
  const auto held = rig.engine().holds();
  REQUIRE(held.size() == 1);
  CHECK(held[0].claim == more);
  CHECK(held[0].remaining == 60s);
  CHECK(outcome(rig, claim({"a"}, "bob")) == "taken");
  CHECK(outcome(rig, claim({"b"}, "bob")) == "granted");
}

TEST_CASE(
    "after a crash in async what was written is back, and nobody gets more until the longest lease passed") {
  EmbeddedRig rig(Durability::kAsync);
  auto ask = rig.ask();
  ask.acquire(leased("a", 3s));
  rig.pass(5ms);
  ask.acquire(leased("b", 3s));  // not written yet
  rig.restart_after_crash();
  const auto held = rig.engine().holds();
  REQUIRE(held.size() == 1);
  CHECK(held[0].claim.names[0] == "a");
  CHECK(rig.engine().recovering() == 4096ms);
  CHECK(outcome(rig, claim({"b"}, "bob")) == "Recovering");
  rig.pass(4095ms);
  CHECK(rig.engine().recovering() == 1ms);
  CHECK(outcome(rig, claim({"b"}, "bob")) == "Recovering");
  rig.pass(1ms);
  CHECK(rig.engine().recovering() == 0ms);
  CHECK(outcome(rig, claim({"b"}, "bob")) == "granted");
}

TEST_CASE(
    "Recovering says for how long still, and holds that are back can be kept and given back meanwhile") {
  EmbeddedRig rig(Durability::kAsync);
  const Token token = rig.ask().acquire(leased("a", 1s));
  rig.pass(5ms);
  rig.restart_after_crash();
  rig.pass(24ms);
  std::optional<core::Error> error;
  rig.engine().acquire(claim({"b"}), [&](auto result) { error = result.error(); });
  REQUIRE(error);
  CHECK(error->message.ends_with(" {\"retry_after_ms\":1000}"));
  CHECK(rig.ask().amend(token, leased("a", 1s)));
  CHECK(rig.ask().release(token));
}

TEST_CASE(
    "after a crash without durability nothing is back, and nobody gets anything for the longest lease") {
  EmbeddedRig rig(Durability::kNone);
  rig.ask().acquire(leased("a", 1s));
  rig.ask().acquire(leased("b", 1500ms));
  rig.restart_after_crash();
  CHECK(rig.engine().holds().empty());
  CHECK(rig.engine().recovering() == 2048ms);
  rig.pass(2048ms);
  CHECK(outcome(rig, claim({"a"}, "bob")) == "granted");
}

TEST_CASE("without durability a hold that was given back, or lost in a crash, is never back") {
  for (const bool crash : {false, true}) {
    EmbeddedRig rig(Durability::kNone);
    const Token token = rig.ask().acquire(leased("a", 1s));
    rig.restart();
    CHECK(rig.engine().holds().size() == 1);
    if (crash) rig.restart_after_crash();
    CHECK(rig.ask().release(token) != crash);
    rig.restart();
    CHECK(rig.engine().holds().empty());
    CHECK((rig.engine().recovering() > 0ms) == crash);
  }
}

TEST_CASE("an amended lease counts for the longest one") {
  for (const Durability durability : {Durability::kAsync, Durability::kNone}) {
    EmbeddedRig rig(durability);
    const Token token = rig.ask().acquire(leased("a", 1s));
    CHECK(rig.ask().amend(token, leased("a", 9s)));
    rig.restart_after_crash();
    CHECK(rig.engine().recovering() == 16'384ms);
  }
}

TEST_CASE("the durability of the run before counts, not the present one") {
  EmbeddedRig rig(Durability::kNone);
  rig.ask().acquire(leased("a", 1s));
  rig.durability = Durability::kSync;
  rig.restart_after_crash();
  CHECK(rig.engine().holds().empty());
  CHECK(rig.engine().recovering() == 1024ms);
  rig.pass(2s);
  rig.ask().acquire(leased("b", 1s));
  rig.durability = Durability::kNone;
  rig.restart_after_crash();
  CHECK(rig.engine().holds().size() == 1);
  CHECK(rig.engine().recovering() == 0ms);
}

TEST_CASE("another crash, or a stop, while holders may not be known does not make them known") {
  for (const bool crash : {true, false}) {
    for (const Durability next : kAll) {
      EmbeddedRig rig(Durability::kAsync);
      const Token token = rig.ask().acquire(leased("a", 1s));
      rig.pass(5ms);
      rig.durability = next;
      rig.restart_after_crash();
      rig.pass(500ms);
      if (crash) {
        rig.restart_after_crash();
      } else {
        CHECK_FALSE(rig.close());
        rig.start();
        REQUIRE(rig.engine().holds().size() == 1);
        CHECK(rig.engine().holds()[0].token == token);
      }
      CHECK(rig.engine().recovering() == 1024ms);
      rig.pass(1024ms);
      rig.restart();
      CHECK(rig.engine().recovering() == 0ms);
    }
  }
}

TEST_CASE("once the longest lease has passed, sync is sync again") {
  EmbeddedRig rig(Durability::kAsync);
  rig.ask().acquire(leased("a", 1s));
  rig.durability = Durability::kSync;
  rig.restart_after_crash();
  rig.pass(1100ms);
  rig.restart_after_crash();
  CHECK(rig.engine().recovering() == 0ms);
}

TEST_CASE("a crash before the first grant keeps nobody waiting, and neither does a new folder") {
  for (const Durability durability : kAll) {
    EmbeddedRig rig(durability);
    CHECK(rig.engine().recovering() == 0ms);
    CHECK(rig.engine().holds().empty());
    rig.restart_after_crash();
    CHECK(rig.engine().recovering() == 0ms);
    CHECK(outcome(rig, claim({"a"})) == "granted");
  }
}

TEST_CASE("with a damaged log nobody gets anything for the longest lease, and it is said") {
  EmbeddedRig rig;
  rig.ask().acquire(leased("a", 1s));
  rig.ask().acquire(leased("b", 1s));
  rig.ask().acquire(leased("c", 1s));
  rig.crash();
  const auto log = rig.path() / "locks.db-wal";
  std::string content = test::content_of(log);
  std::size_t restored = 0;
  SUBCASE("in its middle: nothing is back") { content[32 + 24 + 40] ^= 1; }
  SUBCASE("in its last commit: all before it is back") {
    content.back() ^= 1;
    restored = 2;
  }
  test::write_file(log, content);
  rig.start();
  CHECK(rig.engine().holds().size() == restored);
  CHECK(rig.engine().recovering() == 1024ms);
  REQUIRE(rig.engine().warnings().size() == 1);
  CHECK(rig.engine().warnings()[0].ends_with("; nothing is granted for 1024 ms"));
  CHECK((rig.engine().warnings()[0].find("no hold is restored") != std::string::npos) == (restored == 0));
  rig.restart_after_crash();
  CHECK(rig.engine().warnings().empty());
  CHECK(rig.engine().recovering() == 1024ms);
  rig.pass(1024ms);
  CHECK(outcome(rig, claim({"a"})) == "granted");
}

TEST_CASE("a folder in use is refused") {
  EmbeddedRig rig;
  CHECK_THROWS_AS(rig.start_another(), core::Failure);
}

TEST_CASE("a lease longer than the clock goes on as long as the clock") {
  EmbeddedRig rig;
  const Token token = rig.ask().acquire(leased("a", core::milliseconds::max()));
  rig.pass(1s);
  CHECK(outcome(rig, claim({"a"}, "bob")) == "taken");
  rig.restart_after_crash();
  CHECK(outcome(rig, claim({"a"}, "bob")) == "taken");
  CHECK(rig.ask().release(token));
}

TEST_CASE("what it promises follows the durability") {
  const std::string names[] = {"sync", "async", "none"};
  for (const Durability durability : kAll) {
    EmbeddedRig rig(durability);
    const auto promised = rig.engine().capabilities();
    CHECK(promised.engine == "embedded");
    CHECK(promised.durability == names[static_cast<int>(durability)]);
    CHECK(promised.fair == "strict");
    CHECK(promised.indefinite == (durability == Durability::kSync));
    CHECK((promised.fencing && promised.shared && promised.semaphores && promised.atomic_sets));
    CHECK(promised.survives_restart);
  }
}

}  // namespace embedded_test
