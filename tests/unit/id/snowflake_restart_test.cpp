// Where the ids of the next process begin, after a crash and after a clean stop.
#include <doctest/doctest.h>

#include <chrono>
#include <set>

#include "id/snowflake/snowflake.hpp"
#include "support/id_world.hpp"

namespace zerosuite::test::snowflake_restart_test {

using namespace std::chrono_literals;
using core::milliseconds;

TEST_CASE("a restart with a clock that went back ten minutes begins above, and does not stop") {
  IdWorld world;
  std::int64_t last = 0;
  for (const milliseconds back : {0ms, 1ms, 5'000ms, 60'000ms, 600'000ms}) {
    CAPTURE(back.count());
    {
      IdProcess process(world);
      last = process.get(1000)->ids().back();
      world.pass(1600ms);
      const auto more = process.get(4'096'000);  // as far ahead as may be
      REQUIRE(more->state() == "ids");
      last = more->ids().back();
    }
    world.clocks().step(-back);
    IdProcess process(world);
    const auto answer = process.get();
    REQUIRE(answer->state() == "ids");
    CHECK(answer->ids().front() > last);
    world.clocks().step(back);
    world.pass(10s, 1s);
  }
}

TEST_CASE("a restart with a clock that went back twenty minutes waits until it may go on") {
  IdWorld world;
  std::int64_t last = 0;
  {
    IdProcess process(world);
    last = process.get()->ids().back();
  }
  world.clocks().step(-20min);
  IdProcess process(world);
  const auto refused = process.get();
  REQUIRE(refused->state() == "ClockRollback");
  CHECK(refused->message().ends_with(R"( {"retry_after_ms":603020})"));
  world.pass(604s, 1s);
  const auto answer = process.get();
  REQUIRE(answer->state() == "ids");
  CHECK(answer->ids().front() > last);
}

TEST_CASE("many kills in a row, however soon, do not make ids run ahead of the clock") {
  for (const milliseconds life : {1ms, 30ms, 400ms, 2'000ms, 20'000ms}) {
    CAPTURE(life.count());
    IdWorld world;
    for (int start = 0; start < 1'000; ++start) {
      IdProcess process(world);
      const milliseconds step = std::max(life / 20, 1ms);
      for (milliseconds lived{0}; lived < life; lived += step) {
        REQUIRE(process.get()->state() == "ids");
        world.pass(step, step);
      }
      world.pass(40ms, 40ms);  // until somebody starts it again
    }
    IdProcess process(world);
    REQUIRE(process.get()->state() == "ids");
    CHECK(process.time.lead() < 6s);
  }
}

TEST_CASE("a hundred restarts within one millisecond give no id twice") {
  IdWorld world;
  std::set<std::int64_t> all;
  for (int start = 0; start < 100; ++start) {
    IdProcess process(world);
    const auto answer = process.get(100);
    REQUIRE(answer->state() == "ids");
    for (const std::int64_t id : answer->ids()) REQUIRE(all.insert(id).second);
  }
}

TEST_CASE("a clean stop gives the rest back, and the next start has no gap") {
  IdWorld world;
  for (int start = 0; start < 1000; ++start) {
    IdProcess process(world);
    const std::int64_t tick = process.now_tick();
    REQUIRE(process.tick_of(process.get()->ids().back()) == tick + start);
    process.stop();
    REQUIRE(process.stopped);
  }
}

TEST_CASE("a clean stop while a window is on its way gives that back too") {
  IdWorld world;
  IdProcess first(world);
  first.get();
  world.pass(1520ms);
  const std::int64_t last = *first.one();
  REQUIRE(first.store.waiting() == 1);
  first.stop();
  CHECK(first.stopped);
  CHECK(world.shelf->next(first.key()) == first.tick_of(last) + 1);
}

TEST_CASE("who stops refuses those who wait and those who come") {
  IdWorld world;
  IdProcess process(world);
  const auto parked = process.take();
  process.stop();
  CHECK(parked->state() == "ShuttingDown");
  CHECK(process.get()->state() == "ShuttingDown");
  CHECK_FALSE(process.one());
  CHECK(process.stopped);
  CHECK(process.store.reserves == 1);
}

TEST_CASE("whoever stops unused is done at once") {
  IdWorld world;
  IdProcess process(world);
  bool done = false;
  process.snowflake().stop([&] { done = true; });
  CHECK(done);
}

TEST_CASE("a stop whose store fails is over all the same") {
  IdWorld world;
  IdProcess process(world);
  process.get();
  process.store.fate = [](std::string_view) { return Fate::kRefused; };
  process.stop();
  CHECK(process.stopped);
}

TEST_CASE(
    "ticks that were voided by a discontinuity are not given back: a copy of the machine may use them") {
  IdWorld world;
  IdProcess process(world);
  process.get();
  const std::int64_t next = world.shelf->next(process.key());
  world.clocks().step(-2s);
  process.stop();
  CHECK(process.stopped);
  CHECK(world.shelf->next(process.key()) == next);
}

}  // namespace zerosuite::test::snowflake_restart_test
