// The tokens of the embedded engine, over stops, crashes and whatever the wall clock says.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/faulty_disk.hpp"
#include "support/lock_engine_rig.hpp"

namespace zerosuite::test::embedded_tokens_test {

using lock::Ending;
using lock::Token;
using lock::engines::Durability;
using lock::engines::kTokenBlock;

TEST_CASE("the wall clock sets where tokens begin") {
  EmbeddedRig rig;
  CHECK(rig.acquire(spec({"a"})) == rig.wall_ms * 1024 + 1);
}

TEST_CASE("tokens rise over stops, crashes, a clock set back, and a folder that was wiped") {
  for (const Durability durability : {Durability::kSync, Durability::kAsync, Durability::kNone}) {
    EmbeddedRig rig(durability);
    Token last = 0;
    const auto next = [&] {
      rig.pass(40s);
      const Token token = rig.acquire(leased("a", 1s));
      CHECK(token > last);
      last = token;
    };
    next();
    rig.restart_after_crash();
    next();
    rig.wall_ms -= 1'000'000'000;
    rig.restart_after_crash();
    next();
    rig.restart();
    next();
    rig.crash();
    std::filesystem::remove_all(rig.path());
    rig.wall_ms += 1'000'100'000;
    rig.start();
    next();
  }
}

TEST_CASE("a wall clock that cannot be right does not use tokens up") {
  for (const std::int64_t wall_ms : {std::int64_t{-1}, std::int64_t{0}, std::int64_t{1} << 42, INT64_MAX}) {
    EmbeddedRig rig;
    rig.crash();
    std::filesystem::remove_all(rig.path());
    rig.wall_ms = wall_ms;
    rig.start();
    CHECK(rig.acquire(spec({"a"})) == 1);
  }
}

TEST_CASE("tokens are reserved before they run out, and nobody waits for that") {
  EmbeddedRig rig(Durability::kNone);
  rig.release(rig.acquire(spec({"a"})));  // the length of its lease is noted now
  const Token first = rig.acquire(spec({"a"}));
  rig.release(first);
  std::size_t waited = 0;
  std::size_t written = 0;
  const Token end = first + kTokenBlock + kTokenBlock * 5 / 8;
  for (Token token = first + 1; token < end; ++token) {
    Token got = 0;
    test::acquire(rig.engine(), spec({"a"}), [&](auto result) { got = (*result)->token; });
    if (got != token) ++waited;
    test::release(rig.engine(), token, Ending::kReleased, [](auto) {});
    if (token % 1000 != 0) continue;
    rig.timers.advance_to(rig.timers.now());
    written += rig.offload.waiting.size();
    rig.settle();
  }
  CHECK(waited == 0);
  CHECK(written >= 2);
  rig.restart_after_crash();
  rig.pass(60s);
  CHECK(rig.acquire(spec({"a"})) >= end);
}

TEST_CASE("beyond the tokens that are reserved grants wait until more are") {
  EmbeddedRig rig(Durability::kNone);
  rig.release(rig.acquire(spec({"a"})));  // the length of its lease is noted now
  rig.offload.room = 0;                   // the disk is busy
  std::size_t answers = 0;
  for (Token count = 0; count < kTokenBlock + 10; ++count) {
    test::acquire(rig.engine(), spec({"a"}), [&](auto) { ++answers; });
    test::release(rig.engine(), rig.engine().holds().at(0).token, Ending::kReleased, [](auto) {});
  }
  CHECK(answers < static_cast<std::size_t>(kTokenBlock));
  rig.offload.room = 1;
  rig.pass(10ms);
  CHECK(answers == static_cast<std::size_t>(kTokenBlock) + 10);
}

// What the embedded engine reckons for a name that many hold, after every way in which one of them changes.

lock::LockSpec lasting(lock::LockSpec spec, core::milliseconds lease) {
  spec.lease = lease;
  return spec;
}

std::vector<Token> holders(EmbeddedRig& rig, const std::string& name) {
  std::vector<Token> tokens;
  for (const lock::RecoveredHold& held : rig.holds(name)) tokens.push_back(held.token);
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
  std::vector<Token> tokens;
  for (std::size_t reader = 0; reader < kReaders; ++reader) tokens.push_back(rig.acquire(context({"a"})));
  CHECK(rig.acquire(spec({"a"})) == 0);
  CHECK(holders(rig, "a") == tokens);
  for (std::size_t reader = 0; reader < kReaders; ++reader) {
    rig.engine().watch_free("a", [] {});
    const Token token = tokens[reader * 7919 % kReaders];  // a prime: each once
    if (reader % 2 == 0) CHECK(rig.amend(token, context({"a"})));
    CHECK(rig.release(token));
  }
  CHECK(rig.acquire(spec({"a"})) > 0);
}

TEST_CASE("permits come back by releases and by leases that passed, each once") {
  EmbeddedRig rig;
  const Token two = rig.acquire(lasting(permits({"s"}, 2, 10), 60s));
  const Token three = rig.acquire(lasting(permits({"s"}, 3, 10), 1s));
  const Token four = rig.acquire(lasting(permits({"s"}, 4, 10), 2s));
  CHECK(rig.acquire(permits({"s"}, 2, 10)) == 0);
  rig.pass(1s);
  CHECK(rig.acquire(permits({"s"}, 5, 10)) == 0);
  CHECK(rig.amend(four, lasting(permits({"s"}, 4, 10), 5s)));
  const Token again = rig.acquire(lasting(permits({"s"}, 4, 10), 9s));
  CHECK(again > 0);
  CHECK_FALSE(rig.release(three));
  CHECK(holders(rig, "s") == std::vector{two, four, again});
  CHECK(rig.acquire(permits({"s"}, 1, 10)) == 0);
  CHECK(rig.release(two));
  CHECK(rig.acquire(permits({"s"}, 3, 10)) == 0);
  rig.pass(5s);
  CHECK(rig.acquire(permits({"s"}, 7, 10)) == 0);
  CHECK(rig.acquire(permits({"s"}, 6, 11)) == 0);
  CHECK(rig.acquire(permits({"s"}, 6, 10)) > 0);
  CHECK_FALSE(rig.release(four));
  CHECK(rig.acquire(permits({"s"}, 1, 10)) == 0);
}

TEST_CASE("an amended hold passes at its new end, be that later or earlier") {
  EmbeddedRig rig;
  const Token first = rig.acquire(lasting(context({"a", "b"}), 1s));
  const Token second = rig.acquire(lasting(context({"a"}), 2s));
  CHECK(rig.amend(first, lasting(context({"a", "b"}), 4s)));
  rig.pass(2s);
  CHECK(holders(rig, "a") == std::vector{first});
  CHECK(rig.acquire(spec({"a"})) == 0);
  CHECK(rig.amend(second, lasting(context({"a"}), 60s)));
  CHECK(rig.amend(second, lasting(context({"a"}), 1s)));
  CHECK(called_after(rig, "a") == 1s);
  CHECK(holders(rig, "a") == std::vector{first});
  CHECK(called_after(rig, "a") == 1s);
  const Token third = rig.acquire(spec({"a"}));
  CHECK(third > 0);
  CHECK_FALSE(rig.release(first));
  CHECK_FALSE(rig.release(second));
  CHECK(holders(rig, "b").empty());
}

TEST_CASE("all whose lease has passed give way at once, on every name of the claim") {
  EmbeddedRig rig;
  const Token set = rig.acquire(lasting(context({"a", "b", "c"}), 1s));
  const Token one = rig.acquire(lasting(context({"a"}), 1s));
  const Token other = rig.acquire(lasting(context({"b"}), 1s));
  const Token lasts = rig.acquire(context({"c"}));
  rig.pass(1s);
  CHECK(rig.acquire(spec({"a", "c"})) == 0);
  CHECK(rig.engine().holds().size() == 1);
  CHECK(rig.amend(one, lasting(context({"a"}), 1s)));  // nobody took it yet
  CHECK(rig.acquire(spec({"a", "b"})) == 0);
  rig.pass(1s);
  CHECK(rig.acquire(spec({"a", "b"})) > 0);
  for (const Token gone : {set, one, other}) CHECK_FALSE(rig.release(gone));
  CHECK(holders(rig, "c") == std::vector{lasts});
}

TEST_CASE("a hold does not pass while its amend is on its way, and a watch reckons with the new lease") {
  EmbeddedRig rig;
  const Token slow = rig.acquire(lasting(context({"a"}), 1s));
  rig.acquire(lasting(context({"a"}), 60s));
  test::amend(rig.engine(), slow, lasting(context({"a"}), 3s), [](auto) {});
  test::pass(rig.timers, 2s);
  std::optional<core::Result<std::optional<lock::Grant>>> answer;
  test::acquire(rig.engine(), spec({"a"}), [&](auto result) { answer = std::move(result); });
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
  FaultyDisk disk;
  EmbeddedRig rig;
  const Token token = rig.acquire(spec({"a", "b"}, "ann"));
  rig.pass(100ms);
  disk.fail(FaultyDisk::Fault::kFull, 1);
  std::string notes;
  test::amend(rig.engine(), token, context({"a", "b"}, "ann"),
              [&](auto result) { notes += result ? "+" : "-"; });
  test::acquire(rig.engine(), context({"a"}, "bob"), [&](auto result) { notes += result ? "+" : "-"; });
  test::acquire(rig.engine(), permits({"s"}, 2, 3), [&](auto result) { notes += result ? "+" : "-"; });
  CHECK(rig.engine().holds().size() == 3);
  rig.settle();
  CHECK(notes == "---");
  CHECK(holders(rig, "a") == std::vector{token});
  disk.heal();
  rig.pass(1s);
  CHECK(rig.acquire(context({"a"}, "bob")) == 0);
  CHECK(rig.acquire(permits({"s"}, 3, 3)) > 0);
  rig.pass(28s);
  CHECK(rig.acquire(context({"b"}, "bob")) == 0);
  rig.pass(1s);
  CHECK(rig.acquire(context({"b"}, "bob")) > 0);
}

}  // namespace zerosuite::test::embedded_tokens_test
