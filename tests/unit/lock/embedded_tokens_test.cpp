// The tokens of the embedded engine, over stops, crashes and whatever the wall clock says.
#include <doctest/doctest.h>

#include "support/lock_engine_rig.hpp"

namespace zerosuite::test::embedded_tokens_test {

using namespace std::chrono_literals;
using lock::Ending;
using lock::Token;
using lock::engines::Durability;
using lock::engines::kTokenBlock;

TEST_CASE("the wall clock sets where tokens begin") {
  EmbeddedRig rig;
  CHECK(rig.ask().acquire(spec({"a"})) == rig.wall_ms * 1024 + 1);
}

TEST_CASE("tokens rise over stops, crashes, a clock set back, and a folder that was wiped") {
  for (const Durability durability : {Durability::kSync, Durability::kAsync, Durability::kNone}) {
    EmbeddedRig rig(durability);
    Token last = 0;
    const auto next = [&] {
      rig.pass(40s);
      const Token token = rig.ask().acquire(leased("a", 1s));
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
    CHECK(rig.ask().acquire(spec({"a"})) == 1);
  }
}

TEST_CASE("tokens are reserved before they run out, and nobody waits for that") {
  EmbeddedRig rig(Durability::kNone);
  rig.ask().release(rig.ask().acquire(spec({"a"})));  // the length of its lease is noted now
  const Token first = rig.ask().acquire(spec({"a"}));
  rig.ask().release(first);
  std::size_t waited = 0;
  std::size_t written = 0;
  const Token end = first + kTokenBlock + kTokenBlock * 5 / 8;
  for (Token token = first + 1; token < end; ++token) {
    Token got = 0;
    rig.engine().acquire(spec({"a"}), [&](auto result) { got = (*result)->token; });
    if (got != token) ++waited;
    rig.engine().release(token, Ending::kReleased, [](auto) {});
    if (token % 1000 != 0) continue;
    rig.timers.advance_to(rig.timers.now());
    written += rig.offload.waiting.size();
    rig.settle();
  }
  CHECK(waited == 0);
  CHECK(written >= 2);
  rig.restart_after_crash();
  rig.pass(60s);
  CHECK(rig.ask().acquire(spec({"a"})) >= end);
}

TEST_CASE("beyond the tokens that are reserved grants wait until more are") {
  EmbeddedRig rig(Durability::kNone);
  rig.ask().release(rig.ask().acquire(spec({"a"})));  // the length of its lease is noted now
  rig.offload.room = 0;                               // the disk is busy
  std::size_t answers = 0;
  for (Token count = 0; count < kTokenBlock + 10; ++count) {
    rig.engine().acquire(spec({"a"}), [&](auto) { ++answers; });
    rig.engine().release(rig.engine().holds().at(0).token, Ending::kReleased, [](auto) {});
  }
  CHECK(answers < static_cast<std::size_t>(kTokenBlock));
  rig.offload.room = 1;
  rig.pass(10ms);
  CHECK(answers == static_cast<std::size_t>(kTokenBlock) + 10);
}

}  // namespace zerosuite::test::embedded_tokens_test
