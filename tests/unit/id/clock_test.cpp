// The time that ids carry, whatever is done to the machine's clocks.
#include "id/clock/clock.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>

#include "core/error.hpp"
#include "support/id_rigs.hpp"

namespace zerosuite::test::clock_test {

using core::milliseconds;

constexpr id::ClockRules kRules{
    .max_lead = 10min, .reserve_lead = 10s, .max_forward = 60s, .discontinuity = 1s};

struct ClockRig {
  FakeClocks clocks;
  id::IdTime time{clocks, kRules};

  // In ms since the start.
  double look() { return static_cast<double>(time.look().ns - kWallMs * 1'000'000) / 1e6; }
  milliseconds wait() { return time.look().wait; }
  // Lets time go by in steps of `each`, and fails when the time of ids falls on the way.
  void pass(milliseconds duration, milliseconds each = 100ms) {
    for (milliseconds left = duration; left > 0ms; left -= each) {
      const auto before = time.look().ns;
      clocks.pass(std::min(left, each));
      REQUIRE(time.look().ns >= before);
    }
  }
};

TEST_CASE_FIXTURE(ClockRig, "time begins at the wall clock and goes on with it") {
  CHECK(look() == 0);
  clocks.pass(1ms);
  CHECK(look() == 1);
  clocks.pass(3h);
  CHECK(look() == doctest::Approx(3 * 3'600'000 + 1));
  CHECK(time.lead() == 0ms);
  CHECK(time.wall_ms() == kWallMs + 3 * 3'600'000 + 1);
  CHECK(time.look().boot_ns == (5'000 + 3 * 3'600'000 + 1) * std::int64_t{1'000'000});
  CHECK(time.discontinuities() == 0);
}

TEST_CASE("when the wall clock is set back, time goes on, and works its lead off by a tenth") {
  for (const milliseconds back : {1ms, 5ms, 1'000ms, 9 * 60'000ms, 10 * 60'000ms}) {
    CAPTURE(back.count());
    ClockRig rig;
    rig.pass(1s);
    rig.clocks.step(-back);
    CHECK(rig.look() == 1'000);
    CHECK(rig.time.lead() == back);
    CHECK(rig.wait() == 0ms);
    rig.pass(back * 5);
    CHECK(std::abs((rig.time.lead() - back / 2).count()) <= 1);
    CHECK(rig.look() == doctest::Approx(1'000 + 4.5 * static_cast<double>(back.count())));
    rig.pass(back * 5 + 100ms);
    CHECK(rig.time.lead() == 0ms);
    rig.clocks.pass(1s);
    const double before = rig.look();
    rig.clocks.pass(1s);
    CHECK(rig.look() == before + 1'000);
  }
}

TEST_CASE_FIXTURE(ClockRig, "a lead is worked off as well by one look after a long pause") {
  clocks.step(-60s);
  time.look();
  clocks.pass(5min);
  CHECK(look() == doctest::Approx(270'000));
  CHECK(time.lead() == 30s);
  clocks.pass(1h);
  time.look();
  CHECK(time.lead() == 0ms);
}

TEST_CASE_FIXTURE(ClockRig,
                  "a step back that nobody looked at for an hour costs no more than its own length") {
  clocks.pass(1h);
  clocks.step(-9min);
  CHECK(look() == doctest::Approx(3'600'000 - 360'000));  // a tenth of the hour is worked off already
  CHECK(time.lead() == 3min);
}

TEST_CASE_FIXTURE(ClockRig, "a step forward that makes up for a lead is followed from where ids were") {
  clocks.step(-9min);
  time.look();
  clocks.step(9min);
  CHECK(look() == 0);
  CHECK(time.lead() == 0ms);
  CHECK_FALSE(time.jump());
}

TEST_CASE_FIXTURE(ClockRig, "too far ahead of the wall clock time stands still, and says for how long") {
  clocks.step(-20min);
  CHECK(wait() == 10min);
  pass(4min, 1s);
  CHECK(look() == 0);
  CHECK(wait() == 6min);
  pass(6min - 10s - 1ms, 1ms);
  CHECK(wait() == 10'001ms);
  clocks.pass(1ms);
  CHECK(wait() == 0ms);  // so much may be left for what was reserved, but time stands until the end
  pass(10s, 10ms);
  CHECK(look() == 0);
  clocks.pass(10ms);
  CHECK(look() == 9);
}

TEST_CASE("who comes back exactly when he was told to need not wait again") {
  ClockRig rig;
  rig.clocks.step(-20min);
  const milliseconds wait = rig.wait();
  rig.clocks.pass(wait);
  CHECK(rig.wait() == 0ms);
  CHECK(rig.look() == 0);
  rig.time.raise((kWallMs + 9'000) * 1'000'000);  // what had been reserved
  CHECK(rig.wait() == 0ms);
  rig.clocks.pass(1h);
  CHECK(rig.wait() == 0ms);
}

TEST_CASE_FIXTURE(ClockRig, "the wait is rounded up, so that it is never told as none") {
  clocks.step(-10min - 10s);
  CHECK(wait() == 0ms);
  clocks.now.wall_ns -= 1;
  CHECK(wait() == 10'001ms);
  clocks.now.wall_ns += 1;
  CHECK(wait() == 0ms);
}

TEST_CASE("a step forward up to the limit is followed at once") {
  for (const milliseconds forward : {1ms, 999ms, 1'001ms, 60'000ms}) {
    CAPTURE(forward.count());
    ClockRig rig;
    rig.clocks.pass(10ms);
    rig.clocks.step(forward);
    CHECK(rig.look() == 10.0 + static_cast<double>(forward.count()));
    CHECK_FALSE(rig.time.jump());
  }
}

TEST_CASE_FIXTURE(ClockRig, "a leap beyond the limit is not followed: time goes on with the boot clock") {
  clocks.step(60'001ms);
  CHECK(look() == 0);
  REQUIRE(time.jump());
  CHECK(time.jump()->name == core::kClockJump.name);
  CHECK(time.jump()->message.find("60001 ms ahead") != std::string::npos);
  pass(1h, 1s);
  CHECK(look() == 3'600'000);
  CHECK(time.jump());
  CHECK(wait() == 0ms);
  CHECK(time.lead() == 0ms);
}

TEST_CASE_FIXTURE(ClockRig, "a leap of ten years that is corrected later did no harm") {
  pass(1s);
  clocks.step(24h * 3650);
  pass(1h, 1s);
  CHECK(time.jump());
  clocks.step(-24h * 3650);
  CHECK(look() == 3'601'000);
  CHECK_FALSE(time.jump());
  CHECK(time.lead() == 0ms);
  pass(1s);
  CHECK(look() == 3'602'000);
}

TEST_CASE_FIXTURE(ClockRig, "a leap that somebody confirms is followed") {
  clocks.step(2h);
  CHECK(look() == 0);
  time.confirm();
  CHECK_FALSE(time.jump());
  CHECK(look() == 2 * 3'600'000);
  pass(1s);
  CHECK(look() == 2 * 3'600'000 + 1'000);
  CHECK_FALSE(time.jump());
}

TEST_CASE_FIXTURE(ClockRig, "to confirm a clock that is behind takes nothing back") {
  clocks.step(-5min);
  time.look();
  time.confirm();
  CHECK(look() == 0);
  CHECK(time.lead() == 5min);
}

TEST_CASE_FIXTURE(ClockRig, "time goes on above what was used before, and never because of it back") {
  time.raise((kWallMs + 5'000) * 1'000'000);
  CHECK(look() == 5'000);
  CHECK(time.lead() == 5s);
  time.raise((kWallMs - 5'000) * 1'000'000);
  CHECK(look() == 5'000);
  pass(1s);
  CHECK(look() == doctest::Approx(5'900));
}

TEST_CASE_FIXTURE(ClockRig, "raised beyond the limit, time waits for the wall clock") {
  time.raise((kWallMs + 20 * 60'000) * 1'000'000);
  CHECK(wait() == 10min);
  clocks.pass(10min);
  CHECK(wait() == 0ms);
  CHECK(look() == 20 * 60'000);
}

TEST_CASE_FIXTURE(ClockRig, "a discontinuity is counted, either way, and once") {
  const auto discontinuities = [&] { return time.look().discontinuities; };
  clocks.step(1'001ms);
  CHECK(discontinuities() == 1);
  CHECK(discontinuities() == 1);
  clocks.step(-1'001ms);
  CHECK(discontinuities() == 2);
  clocks.step(24h * 3650);
  CHECK(discontinuities() == 3);
  pass(1h, 1s);
  CHECK(discontinuities() == 3);
  clocks.suspend(30s);  // the machine stood, and the boot clock alone knows of it
  CHECK(discontinuities() == 4);
  CHECK(time.discontinuities() == 4);
}

TEST_CASE_FIXTURE(ClockRig, "small steps, long idle times and suspended machines are no discontinuity") {
  for (const milliseconds step : {1ms, -1ms, 1'000ms, -1'000ms}) {
    clocks.step(step);
    CHECK(time.look().discontinuities == 0);
  }
  clocks.pass(24h * 30);
  CHECK(time.look().discontinuities == 0);
}

TEST_CASE_FIXTURE(ClockRig, "a leap second shows in nothing but a lead of one second") {
  pass(1s, 10ms);
  clocks.step(-1s);  // 23:59:60 is 23:59:59 a second time
  const double before = look();
  CHECK(before == 1'000);
  CHECK(time.discontinuities() == 0);
  CHECK(time.lead() == 1s);
  pass(10s, 10ms);
  CHECK(look() == doctest::Approx(10'000));
  CHECK(time.lead() == 0ms);
}

TEST_CASE("a wall clock that drifts is followed over hours, with no break") {
  for (const int micros : {200, -200}) {
    ClockRig rig;
    for (int second = 0; second < 4 * 3600; ++second) {
      const auto before = rig.time.look().ns;
      rig.clocks.pass(1s);
      rig.clocks.now.wall_ns += micros * 1'000;
      REQUIRE(rig.time.look().ns > before);
    }
    const double wall = 4 * 3'600'000 * (1 + micros / 1e6);
    CHECK(std::abs(rig.look() - wall) <= 1);
    CHECK(rig.time.discontinuities() == 0);
    CHECK_FALSE(rig.time.jump());
  }
}

TEST_CASE_FIXTURE(ClockRig, "clocks that are both seen to fall do not take time back") {
  clocks.pass(3s);
  time.look();
  clocks.pass(-2s);
  CHECK(look() == 3'000);
}

TEST_CASE("the system's clocks go on, and the wall clock is of this century") {
  const id::SystemClocks clocks;
  const id::ClockReading first = clocks.read();
  const id::ClockReading second = clocks.read();
  CHECK(second.boot_ns >= first.boot_ns);
  CHECK(second.boot_ns > 0);
  CHECK(first.wall_ns > kWallMs * 1'000'000);
}

}  // namespace zerosuite::test::clock_test
