// Deadlines by the hundred thousand: a hierarchical timing wheel with intrusive nodes, so arming, moving and cancelling
// are O(1) and allocate nothing (Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", SOSP 1987).
//
// Time is what advance_to() last said and stands still in between: one turn of the loop sees one time, and a test
// moves it by hand. Everything here belongs to the loop's thread.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "core/clock.hpp"

namespace zerosuite::net {

class Timers;

/// One deadline of one owner. Pinned. May be re-armed, cancelled or destroyed at any moment, also from inside its own
/// callback. Fires at most once for each arming, never early, at most a tick (1 ms) late once the wheel is advanced.
class Timer {
 public:
  Timer(Timers& timers, std::function<void()> fire);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  /// Arms it, or moves it when armed. A time that has passed fires at the next advance, never inside this call.
  void at(core::TimePoint when);
  /// at(now + delay).
  void after(core::Clock::duration delay);
  void cancel();
  bool armed() const;
};

/// The wheel. Must outlive its timers.
class Timers {
 public:
  explicit Timers(core::TimePoint start);

  /// The time of this turn.
  core::TimePoint now() const;
  /// No timer fires before this; nullopt when none is armed. May be earlier than the first expiry, never later.
  std::optional<core::TimePoint> next() const;
  /// Moves time forward and fires what is due, in order of time, to the tick. What callbacks arm for a time already
  /// passed fires at the next call, so a timer that re-arms itself cannot hold the loop. A time before now() is now().
  void advance_to(core::TimePoint now);
};

}  // namespace zerosuite::net
