// What the embedded engine does at its start, and what it keeps over a stop, in good order or not.
#include <doctest/doctest.h>

#include <string>

#include "db/database.hpp"
#include "support/lock_engine_rig.hpp"

namespace zerosuite::test::embedded_test {

using lock::Ending;
using lock::Token;
using lock::engines::Durability;

constexpr Durability kAll[] = {Durability::kSync, Durability::kAsync, Durability::kNone};

// The error's name, or what it was that was acquired.
std::string outcome(EmbeddedRig& rig, const lock::LockSpec& wanted) {
  try {
    return rig.acquire(wanted) > 0 ? "granted" : "taken";
  } catch (const core::Failure& failure) {
    return failure.name();
  }
}

void check_recovering(Durability durability) {
  EmbeddedRig rig(durability);
  const auto recovers = [&] {
    rig.restart_after_crash();
    return rig.engine().recovering();
  };
  SUBCASE("a long one that was given back") {
    rig.release(rig.acquire(leased("a", 24h)));
    rig.acquire(leased("b", 2s));
    rig.pass(1s);
    CHECK(recovers() == 2s);
  }
  SUBCASE("one that has passed") {
    const Token token = rig.acquire(leased("a", 3s));
    rig.pass(3s);
    rig.release(token, Ending::kTaken);
    rig.acquire(leased("b", 200ms));
    rig.pass(10ms);
    CHECK(recovers() == 200ms);
  }
  SUBCASE("one that still runs, among shorter ones") {
    rig.acquire(leased("a", 24h));
    rig.release(rig.acquire(leased("b", 2s)));
    rig.pass(1min);
    CHECK(recovers() == 24h);
  }
  SUBCASE("one that was made shorter") {
    const Token token = rig.acquire(leased("a", 24h));
    CHECK(rig.amend(token, leased("a", 5s)));
    rig.pass(2s);
    rig.amend(token, leased("a", 5s));
    rig.pass(10ms);
    rig.release(rig.acquire(leased("b", 1s)));
    CHECK(recovers() == 5s);
  }
  SUBCASE("none") {
    rig.release(rig.acquire(leased("a", 30s)));
    rig.pass(31s);
    CHECK(recovers() == 0ms);
  }
  SUBCASE("what was not known after one crash counts until it has passed, and then no more") {
    const Token token = rig.acquire(leased("a", 10s));
    CHECK(recovers() == 10s);
    rig.pass(9s);
    CHECK(recovers() == 10s);
    rig.pass(10s);
    rig.release(token, Ending::kTaken);
    rig.acquire(leased("b", 1s));
    rig.pass(1s);
    CHECK(recovers() == 1s);
  }
}

TEST_CASE("after a stop in good order every hold is back, its lease in full, and nobody waits") {
  for (const Durability durability : kAll) {
    EmbeddedRig rig(durability);
    auto set = context({"a", "b"}, "ann");
    set.lease = 10s;
    const Token ann = rig.acquire(set);
    set.count = 4;
    CHECK(rig.amend(ann, set));
    const Token bob = rig.acquire(spec({"c"}, "bob"));
    rig.release(rig.acquire(spec({"d"})));
    rig.pass(9s);
    CHECK_FALSE(rig.close());
    rig.start();
    CHECK(rig.engine().recovering() == 0ms);
    CHECK(rig.engine().warnings().empty());
    const auto held = rig.engine().holds();
    REQUIRE(held.size() == 2);
    CHECK(held[0].spec == set);
    CHECK(held[0].token == ann);
    CHECK(held[0].remaining == 10s);
    CHECK(held[1].token == bob);
    CHECK(outcome(rig, spec({"c"}, "cy")) == "taken");
    CHECK(outcome(rig, spec({"d"}, "cy")) == "granted");
    CHECK(rig.release(bob));
  }
}

TEST_CASE("after a crash in sync every grant is back, and nobody waits") {
  EmbeddedRig rig;
  const Token ann = rig.acquire(spec({"a"}, "ann"));
  auto more = spec({"a"}, "ann");
  more.lease = 60s;
  more.count = 2;
  CHECK(rig.amend(ann, more));
  rig.pass(20s);
  rig.restart_after_crash();
  CHECK(rig.engine().recovering() == 0ms);
  const auto held = rig.engine().holds();
  REQUIRE(held.size() == 1);
  CHECK(held[0].spec == more);
  CHECK(held[0].remaining == 60s);
  CHECK(outcome(rig, spec({"a"}, "bob")) == "taken");
  CHECK(outcome(rig, spec({"b"}, "bob")) == "granted");
}

TEST_CASE(
    "after a crash in async what was written is back, and nobody gets more until the longest lease passed") {
  EmbeddedRig rig(Durability::kAsync);
  rig.acquire(leased("a", 3s));
  rig.pass(5ms);
  rig.acquire(leased("b", 3s));  // not written yet
  rig.restart_after_crash();
  const auto held = rig.engine().holds();
  REQUIRE(held.size() == 1);
  CHECK(held[0].spec.names[0] == "a");
  CHECK(rig.engine().recovering() == 3s);
  CHECK(outcome(rig, spec({"b"}, "bob")) == "Recovering");
  rig.pass(2999ms);
  CHECK(rig.engine().recovering() == 1ms);
  CHECK(outcome(rig, spec({"b"}, "bob")) == "Recovering");
  rig.pass(1ms);
  CHECK(rig.engine().recovering() == 0ms);
  CHECK(outcome(rig, spec({"b"}, "bob")) == "granted");
}

TEST_CASE(
    "Recovering says for how long still, and holds that are back can be kept and given back meanwhile") {
  EmbeddedRig rig(Durability::kAsync);
  const Token token = rig.acquire(leased("a", 1s));
  rig.pass(5ms);
  rig.restart_after_crash();
  rig.pass(24ms);
  std::optional<core::Error> error;
  test::acquire(rig.engine(), spec({"b"}), [&](auto result) { error = result.error(); });
  REQUIRE(error);
  CHECK(error->text().ends_with(" {\"retry_after_ms\":976}"));
  CHECK(rig.amend(token, leased("a", 1s)));
  CHECK(rig.release(token));
}

TEST_CASE(
    "after a crash without durability nothing is back, and nobody gets anything for the longest lease") {
  EmbeddedRig rig(Durability::kNone);
  rig.acquire(leased("a", 1s));
  rig.acquire(leased("b", 1500ms));
  rig.restart_after_crash();
  CHECK(rig.engine().holds().empty());
  CHECK(rig.engine().recovering() == 1500ms);
  rig.pass(1500ms);
  CHECK(outcome(rig, spec({"a"}, "bob")) == "granted");
}

TEST_CASE("without durability a hold that was given back, or lost in a crash, is never back") {
  for (const bool crash : {false, true}) {
    EmbeddedRig rig(Durability::kNone);
    const Token token = rig.acquire(leased("a", 1s));
    rig.restart();
    CHECK(rig.engine().holds().size() == 1);
    if (crash) rig.restart_after_crash();
    CHECK(rig.release(token) != crash);
    rig.restart();
    CHECK(rig.engine().holds().empty());
    CHECK((rig.engine().recovering() > 0ms) == crash);
  }
}

TEST_CASE("an amended lease counts for the longest one") {
  for (const Durability durability : {Durability::kAsync, Durability::kNone}) {
    EmbeddedRig rig(durability);
    const Token token = rig.acquire(leased("a", 1s));
    CHECK(rig.amend(token, leased("a", 9s)));
    rig.restart_after_crash();
    CHECK(rig.engine().recovering() == 9s);
  }
}

TEST_CASE("after a crash nobody waits longer than the longest lease that may still run: async") {
  check_recovering(Durability::kAsync);
}

TEST_CASE("after a crash nobody waits longer than the longest lease that may still run: none") {
  check_recovering(Durability::kNone);
}

TEST_CASE("a common lease that was given back costs the next one of its length no commit") {
  EmbeddedRig rig(Durability::kNone);
  rig.release(rig.acquire(leased("a", 30s)));
  rig.pass(29s);
  bool granted = false;
  test::acquire(rig.engine(), leased("a", 30s), [&](auto result) { granted = result && *result; });
  CHECK(granted);
}

TEST_CASE("the durability of the run before counts, not the present one") {
  EmbeddedRig rig(Durability::kNone);
  rig.acquire(leased("a", 1s));
  rig.durability = Durability::kSync;
  rig.restart_after_crash();
  CHECK(rig.engine().holds().empty());
  CHECK(rig.engine().recovering() == 1s);
  rig.pass(2s);
  rig.acquire(leased("b", 1s));
  rig.durability = Durability::kNone;
  rig.restart_after_crash();
  CHECK(rig.engine().holds().size() == 1);
  CHECK(rig.engine().recovering() == 0ms);
}

TEST_CASE("another crash, or a stop, while holders may not be known does not make them known") {
  for (const bool crash : {true, false}) {
    for (const Durability next : kAll) {
      EmbeddedRig rig(Durability::kAsync);
      const Token token = rig.acquire(leased("a", 1s));
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
      CHECK(rig.engine().recovering() == 1s);
      rig.pass(1s);
      rig.restart();
      CHECK(rig.engine().recovering() == 0ms);
    }
  }
}

TEST_CASE("once the longest lease has passed, sync is sync again") {
  EmbeddedRig rig(Durability::kAsync);
  rig.acquire(leased("a", 1s));
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
    CHECK(outcome(rig, spec({"a"})) == "granted");
  }
}

TEST_CASE("with a damaged log nobody gets anything for the longest lease, and it is said") {
  EmbeddedRig rig;
  rig.acquire(leased("a", 1s));
  rig.acquire(leased("b", 1s));
  rig.acquire(leased("c", 1s));
  rig.crash();
  const auto log = rig.path() / "locks.db-wal";
  std::string content = content_of(log);
  std::size_t restored = 0;
  SUBCASE("in its middle: nothing is back") { content[32 + 24 + 40] ^= 1; }
  SUBCASE("in its last commit: all before it is back") {
    content.back() ^= 1;
    restored = 2;
  }
  write_file(log, content);
  rig.start();
  CHECK(rig.engine().holds().size() == restored);
  CHECK(rig.engine().recovering() == 1s);
  REQUIRE(rig.engine().warnings().size() == 1);
  CHECK(rig.engine().warnings()[0].ends_with("; nothing is granted for 1000 ms"));
  CHECK((rig.engine().warnings()[0].find("no hold is restored") != std::string::npos) == (restored == 0));
  rig.restart_after_crash();
  CHECK(rig.engine().warnings().empty());
  CHECK(rig.engine().recovering() == 1s);
  rig.pass(1s);
  CHECK(outcome(rig, spec({"a"})) == "granted");
}

TEST_CASE("a log that is gone or cut off after a crash holds everybody up, and it is said") {
  EmbeddedRig rig;
  rig.acquire(leased("a", 1s));
  rig.acquire(leased("b", 1s));
  rig.pass(10ms);
  rig.crash();
  const auto log = rig.path() / "locks.db-wal";
  const std::string content = content_of(log);
  SUBCASE("removed") { std::filesystem::remove(log); }
  SUBCASE("behind its first commit") { write_file(log, content.substr(0, 32 + 24 + 4096)); }
  SUBCASE("another program has worked it into the file") {
    const db::Database tool(rig.path() / "locks.db");
    tool.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    std::filesystem::remove(log);
  }
  rig.start();
  CHECK(rig.engine().holds().empty());
  CHECK(rig.engine().recovering() == 1s);
  REQUIRE(rig.engine().warnings().size() == 1);
  CHECK(rig.engine().warnings()[0].ends_with("so no hold is restored; nothing is granted for 1000 ms"));
  CHECK(outcome(rig, spec({"a"}, "bob")) == "Recovering");
  rig.restart_after_crash();
  CHECK(rig.engine().recovering() == 1s);
  rig.pass(1s);
  CHECK(outcome(rig, spec({"a"}, "bob")) == "granted");
  rig.restart();
  CHECK(rig.engine().warnings().empty());
  CHECK(rig.engine().holds().size() == 1);
}

TEST_CASE("after a stop in good order there is no log to miss") {
  EmbeddedRig rig;
  rig.acquire(leased("a", 10s));
  CHECK_FALSE(rig.close());
  std::filesystem::remove(rig.path() / "locks.db-wal");
  rig.start();
  CHECK(rig.engine().recovering() == 0ms);
  CHECK(rig.engine().holds().size() == 1);
}

TEST_CASE("a hold that was given back is not back though only that was written") {
  EmbeddedRig rig;
  auto held = spec({"a"});
  held.count = 2;
  const Token token = rig.acquire(held);
  held.count = 0;
  CHECK(rig.amend(token, held));
  rig.restart_after_crash();
  CHECK(rig.engine().holds().empty());
  rig.pass(20ms);
  CHECK(outcome(rig, spec({"a"}, "bob")) == "granted");
  rig.restart_after_crash();
  CHECK(rig.engine().holds().size() == 1);
}

TEST_CASE("a folder in use is refused") {
  EmbeddedRig rig;
  CHECK_THROWS_AS(rig.start_another(), core::Failure);
}

TEST_CASE("a lease longer than the clock goes on as long as the clock") {
  EmbeddedRig rig;
  const Token token = rig.acquire(leased("a", core::milliseconds::max()));
  rig.pass(1s);
  CHECK(outcome(rig, spec({"a"}, "bob")) == "taken");
  rig.restart_after_crash();
  CHECK(outcome(rig, spec({"a"}, "bob")) == "taken");
  CHECK(rig.release(token));
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
    CHECK((promised.fencing && promised.context && promised.semaphores && promised.atomic_sets));
    CHECK(promised.survives_restart);
  }
}

}  // namespace zerosuite::test::embedded_test
