// Ids of one issuer and of those after it, whatever becomes of clocks, leases and processes.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <set>

#include "id/snowflake/snowflake.hpp"
#include "support/id_world.hpp"

namespace zerosuite::test::snowflake_faults_test {

using core::milliseconds;

TEST_CASE_FIXTURE(IdRig, "no step of the wall clock within ten minutes stops ids or turns their order") {
  std::int64_t last = process.get()->ids().back();
  for (const milliseconds step : {-1ms, -5ms, -1'000ms, 900ms, -9 * 60'000ms, 2 * 60'000ms, -2 * 60'000ms,
                                  59'000ms, -58'000ms, 9 * 60'000ms, -10 * 60'000ms}) {
    CAPTURE(step.count());
    world.clocks().step(step);
    for (int i = 0; i < 5; ++i) {
      const auto answer = process.get();
      REQUIRE(answer->state() == "ids");
      CHECK(answer->ids().front() > last);
      last = answer->ids().back();
      world.pass(1ms);
    }
  }
}

TEST_CASE_FIXTURE(IdRig,
                  "a clock set back by more than that stops ids, says for how long, and it is so long") {
  const std::int64_t last = process.get()->ids().back();
  world.clocks().step(-20min);
  const auto refused = process.get();
  REQUIRE(refused->state() == "ClockRollback");
  CHECK(refused->message() ==
        R"(the clock is too far behind the ids that were issued {"retry_after_ms":600000})");
  CHECK_FALSE(process.one());
  world.pass(539s, 1s);
  CHECK(process.get()->state() == "ClockRollback");
  world.pass(61s, 1s);
  const auto answer = process.get();
  REQUIRE(answer->state() == "ids");
  CHECK(answer->ids().front() > last);
}

TEST_CASE_FIXTURE(IdRig, "a leap of years forward is not followed, and harms nothing once it is corrected") {
  const std::int64_t before = process.get()->ids().back();
  world.clocks().step(24h * 3650);
  std::int64_t last = process.get()->ids().back();
  CHECK(process.tick_of(last) - process.tick_of(before) <= 3020);
  CHECK(process.time.jump());
  world.pass(10s);
  world.clocks().step(-24h * 3650);
  const auto answer = process.get();
  REQUIRE(answer->state() == "ids");
  CHECK(answer->ids().front() > last);
  CHECK(process.tick_of(answer->ids().front()) - process.tick_of(before) <= 13'001);
}

TEST_CASE("a discontinuity voids what was reserved before it") {
  for (const milliseconds step : {1'001ms, -1'001ms}) {
    IdWorld world;
    IdProcess process(world);
    const std::int64_t hi = process.now_tick() + 3020;
    const std::int64_t last = process.get()->ids().back();
    world.clocks().step(step);
    CHECK_FALSE(process.one());
    const auto answer = process.get();
    CHECK(process.store.reserves == 3);
    CHECK(process.tick_of(answer->ids().front()) >= hi);
    CHECK(answer->ids().front() > last);
  }
}

TEST_CASE_FIXTURE(IdRig, "a small step voids nothing") {
  process.get();
  world.clocks().step(-1s);
  CHECK(process.one());
  world.clocks().step(1s);
  CHECK(process.one());
  CHECK(process.store.reserves == 2);
}

TEST_CASE("a discontinuity voids a window that is on its way") {
  for (const bool seen : {true, false}) {
    IdWorld world;
    IdProcess process(world);
    const auto parked = process.take();
    world.clocks().step(-2s);
    if (seen) process.time.look();
    process.store.settle();
    REQUIRE(parked->state() == "ids");
    REQUIRE(process.store.reserves >= 2);
    CHECK(process.tick_of(parked->ids().front()) >=
          process.store.asks[0].floor + process.store.asks[0].count);
  }
}

TEST_CASE_FIXTURE(
    IdRig, "a window that was asked for before a discontinuity is not used because others asked after it") {
  const auto before = process.take();
  world.clocks().step(-2s);
  const auto after = process.take();
  process.store.settle();
  REQUIRE(before->state() == "ids");
  REQUIRE(after->state() == "ids");
  CHECK(process.store.reserves >= 2);
  CHECK(process.tick_of(before->ids().front()) >= process.store.asks[0].floor + process.store.asks[0].count);
}

TEST_CASE(
    "the sequence overflows into ticks that are reserved, as many at once as are wanted, never beyond") {
  IdWorld world;
  IdSetup setup;
  setup.options.window = 20ms;
  IdProcess process(world, setup);
  const auto all = process.get(4096 * 100);
  REQUIRE(all->state() == "ids");
  CHECK(process.tick_of(all->ids().back()) < world.shelf->next(process.key()));
  CHECK(process.store.reserves <= 2);
}

TEST_CASE("before a layout's epoch there are no ids, and none after its last tick") {
  IdWorld world;
  IdSetup future;
  future.layout = "custom:41/10/12@1704067200001";
  IdProcess early(world, future);
  const auto refused = early.get();
  REQUIRE(refused->state() == "TimeExhausted");
  CHECK(refused->message() ==
        "layout custom:41/10/12@1704067200001 cannot express the time 1704067200000 ms after 1970");
  world.pass(1ms);
  CHECK(early.get()->state() == "ids");

  IdSetup past;
  past.layout = "custom:12/10/12@1704067196000";  // 4096 ms, of which 96 are left
  past.claim.worker = 8;
  IdProcess late(world, past);
  CHECK(late.get()->state() == "ids");
  world.pass(94ms);
  const auto last = late.get();
  REQUIRE(last->state() == "ids");
  CHECK(late.tick_of(last->ids().back()) == 4095);
  CHECK(late.get(4096)->state() == "TimeExhausted");
  world.pass(1ms);
  CHECK(late.get()->state() == "TimeExhausted");
  CHECK(late.store.asks.back().end == 4096);
}

TEST_CASE(
    "who has a window that reaches to the last tick is not told that time is over before it is used up") {
  IdWorld world;
  IdSetup setup;
  setup.layout = "custom:12/10/2@1704067198000";  // 2096 ms are left
  setup.options.burst_lead = 10ms;
  IdProcess process(world, setup);
  process.get(44);
  const auto parked = process.take(4);
  world.pass(1ms);
  CHECK(parked->state() == "ids");
  world.pass(1500ms);
  CHECK(process.get(44)->state() == "ids");
  const auto waits = process.take(4);
  world.pass(10ms);
  CHECK(waits->state() == "ids");
}

TEST_CASE("a worker id that the layout cannot hold is refused by name") {
  IdWorld world;
  IdSetup setup;
  setup.layout = "js53";
  setup.claim.worker = 64;
  IdProcess process(world, setup);
  const auto refused = process.get();
  REQUIRE(refused->state() == "WorkerIdExhausted");
  CHECK(refused->message() == "layout js53 has the worker ids 0 to 63; this issuer is 64");
  CHECK_FALSE(process.one());
  CHECK(process.store.reserves == 0);
}

TEST_CASE_FIXTURE(IdRig, "a child process issues nothing, and its parent goes on") {
  process.get();
  const std::int64_t next = world.shelf->next(process.key());
  const ::pid_t child = ::fork();
  if (child == 0) {
    const bool refused = !process.one() && process.get()->state() == "LeaseLost";
    process.snowflake().stop([] {});
    process.store.settle();
    ::_exit(refused && world.shelf->next(process.key()) == next ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(process.one());
}

// Where the ids of the next process begin, after a crash and after a clean stop.

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

TEST_CASE_FIXTURE(IdRig, "who stops refuses those who wait and those who come") {
  const auto parked = process.take();
  process.stop();
  CHECK(parked->state() == "ShuttingDown");
  CHECK(process.get()->state() == "ShuttingDown");
  CHECK_FALSE(process.one());
  CHECK(process.stopped);
  CHECK(process.store.reserves == 1);
}

TEST_CASE_FIXTURE(IdRig, "whoever stops unused is done at once") {
  bool done = false;
  process.snowflake().stop([&] { done = true; });
  CHECK(done);
}

TEST_CASE_FIXTURE(IdRig, "a stop whose store fails is over all the same") {
  process.get();
  process.store.fate = [](std::string_view) { return Fate::kRefused; };
  process.stop();
  CHECK(process.stopped);
}

TEST_CASE_FIXTURE(
    IdRig,
    "ticks that were voided by a discontinuity are not given back: a copy of the machine may use them") {
  process.get();
  const std::int64_t next = world.shelf->next(process.key());
  world.clocks().step(-2s);
  process.stop();
  CHECK(process.stopped);
  CHECK(world.shelf->next(process.key()) == next);
}

}  // namespace zerosuite::test::snowflake_faults_test
