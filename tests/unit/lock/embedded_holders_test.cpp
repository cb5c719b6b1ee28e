// What the embedded engine reckons for a name that many hold, after every way in which one of them changes.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/faulty_disk.hpp"
#include "support/lock_engine_rig.hpp"

namespace zerosuite::test::embedded_holders_test {

using namespace std::chrono_literals;
using lock::Ending;
using lock::Token;
using lock::engines::Durability;

lock::LockSpec lasting(lock::LockSpec spec, core::milliseconds lease) {
  spec.lease = lease;
  return spec;
}

std::vector<Token> holders(EmbeddedRig& rig, const std::string& name) {
  std::vector<Token> tokens;
  for (const lock::RecoveredHold& held : rig.ask().holds(name)) tokens.push_back(held.token);
  return tokens;
}

// How long until a watch of the name calls, to 10 ms.
core::milliseconds called_after(EmbeddedRig& rig, const std::string& name) {
  bool called = false;
  core::milliseconds passed{0};
  rig.engine().watch_free(name, [&] { called = true; });
  for (rig.pass(1ms); !called && passed < 120s; passed += 10ms) rig.pass(10ms);
  return passed;
}

TEST_CASE("one name may have very many readers, who come and go in any order") {
  constexpr std::size_t kReaders = 50'000;
  EmbeddedRig rig(Durability::kNone);
  auto ask = rig.ask();
  std::vector<Token> tokens;
  for (std::size_t reader = 0; reader < kReaders; ++reader) tokens.push_back(ask.acquire(context({"a"})));
  CHECK(ask.acquire(spec({"a"})) == 0);
  CHECK(holders(rig, "a") == tokens);
  for (std::size_t reader = 0; reader < kReaders; ++reader) {
    rig.engine().watch_free("a", [] {});
    const Token token = tokens[reader * 7919 % kReaders];  // a prime: each once
    if (reader % 2 == 0) CHECK(ask.amend(token, context({"a"})));
    CHECK(ask.release(token));
  }
  CHECK(ask.acquire(spec({"a"})) > 0);
}

TEST_CASE("permits come back by releases and by leases that passed, each once") {
  EmbeddedRig rig;
  auto ask = rig.ask();
  const Token two = ask.acquire(lasting(permits({"s"}, 2, 10), 60s));
  const Token three = ask.acquire(lasting(permits({"s"}, 3, 10), 1s));
  const Token four = ask.acquire(lasting(permits({"s"}, 4, 10), 2s));
  CHECK(ask.acquire(permits({"s"}, 2, 10)) == 0);
  rig.pass(1s);
  CHECK(ask.acquire(permits({"s"}, 5, 10)) == 0);
  CHECK(ask.amend(four, lasting(permits({"s"}, 4, 10), 5s)));
  const Token again = ask.acquire(lasting(permits({"s"}, 4, 10), 9s));
  CHECK(again > 0);
  CHECK_FALSE(ask.release(three));
  CHECK(holders(rig, "s") == std::vector{two, four, again});
  CHECK(ask.acquire(permits({"s"}, 1, 10)) == 0);
  CHECK(ask.release(two));
  CHECK(ask.acquire(permits({"s"}, 3, 10)) == 0);
  rig.pass(5s);
  CHECK(ask.acquire(permits({"s"}, 7, 10)) == 0);
  CHECK(ask.acquire(permits({"s"}, 6, 11)) == 0);
  CHECK(ask.acquire(permits({"s"}, 6, 10)) > 0);
  CHECK_FALSE(ask.release(four));
  CHECK(ask.acquire(permits({"s"}, 1, 10)) == 0);
}

TEST_CASE("an amended hold passes at its new end, be that later or earlier") {
  EmbeddedRig rig;
  auto ask = rig.ask();
  const Token first = ask.acquire(lasting(context({"a", "b"}), 1s));
  const Token second = ask.acquire(lasting(context({"a"}), 2s));
  CHECK(ask.amend(first, lasting(context({"a", "b"}), 4s)));
  rig.pass(2s);
  CHECK(holders(rig, "a") == std::vector{first});
  CHECK(ask.acquire(spec({"a"})) == 0);
  CHECK(ask.amend(second, lasting(context({"a"}), 60s)));
  CHECK(ask.amend(second, lasting(context({"a"}), 1s)));
  CHECK(called_after(rig, "a") == 1s);
  CHECK(holders(rig, "a") == std::vector{first});
  CHECK(called_after(rig, "a") == 1s);
  const Token third = ask.acquire(spec({"a"}));
  CHECK(third > 0);
  CHECK_FALSE(ask.release(first));
  CHECK_FALSE(ask.release(second));
  CHECK(holders(rig, "b").empty());
}

TEST_CASE("all whose lease has passed give way at once, on every name of the claim") {
  EmbeddedRig rig;
  auto ask = rig.ask();
  const Token set = ask.acquire(lasting(context({"a", "b", "c"}), 1s));
  const Token one = ask.acquire(lasting(context({"a"}), 1s));
  const Token other = ask.acquire(lasting(context({"b"}), 1s));
  const Token lasts = ask.acquire(context({"c"}));
  rig.pass(1s);
  CHECK(ask.acquire(spec({"a", "c"})) == 0);
  CHECK(rig.engine().holds().size() == 1);
  CHECK(ask.amend(one, lasting(context({"a"}), 1s)));  // nobody took it yet
  CHECK(ask.acquire(spec({"a", "b"})) == 0);
  rig.pass(1s);
  CHECK(ask.acquire(spec({"a", "b"})) > 0);
  for (const Token gone : {set, one, other}) CHECK_FALSE(ask.release(gone));
  CHECK(holders(rig, "c") == std::vector{lasts});
}

TEST_CASE("a hold does not pass while its amend is on its way, and a watch reckons with the new lease") {
  EmbeddedRig rig;
  auto ask = rig.ask();
  const Token slow = ask.acquire(lasting(context({"a"}), 1s));
  ask.acquire(lasting(context({"a"}), 60s));
  rig.engine().amend(slow, lasting(context({"a"}), 3s), [](auto) {});
  test::pass(rig.timers, 2s);
  std::optional<core::Result<std::optional<lock::Grant>>> answer;
  rig.engine().acquire(spec({"a"}), [&](auto result) { answer = std::move(result); });
  int called = 0;
  rig.engine().watch_free("a", [&] { ++called; });
  rig.settle();
  REQUIRE(answer);
  CHECK_FALSE(**answer);
  rig.pass(2990ms);
  CHECK(called == 0);
  CHECK(holders(rig, "a").size() == 2);
  rig.pass(10ms);
  CHECK(called == 1);
  CHECK(holders(rig, "a").size() == 1);
}

TEST_CASE("a downgrade that could not be written leaves its name exclusive, and no reader in it") {
  test::FaultyDisk disk;
  EmbeddedRig rig;
  const Token token = rig.ask().acquire(spec({"a", "b"}, "ann"));
  rig.pass(100ms);
  disk.fail(test::FaultyDisk::Fault::kFull, 1);
  std::string notes;
  rig.engine().amend(token, context({"a", "b"}, "ann"), [&](auto result) { notes += result ? "+" : "-"; });
  rig.engine().acquire(context({"a"}, "bob"), [&](auto result) { notes += result ? "+" : "-"; });
  rig.engine().acquire(permits({"s"}, 2, 3), [&](auto result) { notes += result ? "+" : "-"; });
  CHECK(rig.engine().holds().size() == 3);
  rig.settle();
  CHECK(notes == "---");
  CHECK(holders(rig, "a") == std::vector{token});
  disk.heal();
  rig.pass(1s);
  CHECK(rig.ask().acquire(context({"a"}, "bob")) == 0);
  CHECK(rig.ask().acquire(permits({"s"}, 3, 3)) > 0);
  rig.pass(28s);
  CHECK(rig.ask().acquire(context({"b"}, "bob")) == 0);
  rig.pass(1s);
  CHECK(rig.ask().acquire(context({"b"}, "bob")) > 0);
}

}  // namespace zerosuite::test::embedded_holders_test
