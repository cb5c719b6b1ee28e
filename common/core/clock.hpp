// Time inside the suite: the steady clock only, so that a step of the wall clock changes nothing.
#pragma once

#include <chrono>

namespace zerosuite::core {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using std::chrono::milliseconds;

}  // namespace zerosuite::core
