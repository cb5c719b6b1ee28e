// Time inside the suite: the steady clock only, so that a step of the wall clock has no effect.
#pragma once

#include <chrono>
#include <ctime>

namespace zerosuite::core {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using std::chrono::milliseconds;

/// The clock's reading at the kernel's last tick, up to ten milliseconds ago, at a quarter of the cost of
/// Clock::now() (clock_gettime(2), CLOCK_MONOTONIC_COARSE). Never ahead of Clock::now(). Any thread.
inline TimePoint last_tick() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
  return TimePoint(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

}  // namespace zerosuite::core
