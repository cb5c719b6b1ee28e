#include "proxy/ping_watch.hpp"

#include <doctest/doctest.h>

#include "support/fakes.hpp"

namespace zerosuite::test::ping_watch_test {

using proxy::PingWatch;

// A server that has answered a ping and was asked again at kStart.
PingWatch asked_again(core::milliseconds limit = 10s) {
  PingWatch watch(limit);
  watch.asked(kStart - 5s);
  watch.answered(kStart - 5s);
  watch.asked(kStart);
  return watch;
}

TEST_CASE("a server with nothing of ours to do that does not answer in time hangs") {
  const PingWatch watch = asked_again();
  CHECK_FALSE(watch.hangs(kStart + 9s));
  CHECK(watch.hangs(kStart + 10s));
}

TEST_CASE("a server that has never answered a ping may not know it, and without a limit nobody minds") {
  PingWatch watch(10s);
  watch.asked(kStart);
  CHECK_FALSE(watch.hangs(kStart + 1h));
  CHECK_FALSE(asked_again(0ms).hangs(kStart + 1h));
}

TEST_CASE("a server that computes for a call of before the ping is waited for, however long it does") {
  PingWatch watch = asked_again();
  for (auto passed = 0s; passed <= 600s; passed += 1s) {
    watch.busy(kStart + passed);
    CHECK_FALSE(watch.hangs(kStart + passed));
  }
  CHECK_FALSE(watch.hangs(kStart + 609s));
  CHECK(watch.hangs(kStart + 610s));
}

TEST_CASE("while calls show a first sign of life the server reads, be it ever so slowly") {
  PingWatch watch = asked_again();
  for (auto passed = 0s; passed <= 600s; passed += 9s) {
    CHECK_FALSE(watch.hangs(kStart + passed));
    watch.beat(kStart + passed);
    watch.read(kStart + passed);
  }
}

TEST_CASE(
    "heartbeats of open calls that go on coming show that the server's loop runs, and yet reads nothing") {
  PingWatch watch = asked_again();
  watch.beat(kStart + 1s);
  watch.busy(kStart + 24s);
  CHECK_FALSE(watch.hangs(kStart + 25s));  // one heartbeat may have come between two computations
  watch.beat(kStart + 6s);
  watch.busy(kStart + 24s);
  CHECK_FALSE(watch.hangs(kStart + 24s));
  CHECK(watch.hangs(kStart + 25s));
}

TEST_CASE("an answer ends it, and so does the end of the connection") {
  PingWatch watch = asked_again();
  watch.answered(kStart + 9s);
  CHECK_FALSE(watch.asked_at());
  CHECK_FALSE(watch.hangs(kStart + 1h));
  watch.asked(kStart + 1h);
  watch.forget();
  CHECK_FALSE(watch.hangs(kStart + 2h));
}

}  // namespace zerosuite::test::ping_watch_test
