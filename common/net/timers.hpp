// Deadlines by the hundred thousand: a hierarchical timing wheel with intrusive nodes, so arming, moving and
// cancelling are O(1) and allocate nothing (Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", SOSP
// 1987).
//
// Time is set by advance_to() and constant in between: one turn of the loop sees one time, and a test moves
// it by hand. Loop thread only.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "core/clock.hpp"

namespace zerosuite::net {

class Timers;

/// One deadline of one owner. Pinned. May be re-armed, cancelled or destroyed at any moment, also from inside
/// its own callback. Fires at most once for each arming and never inside the call that arms it, never early,
/// at most a tick (1 ms) late once the wheel is advanced.
class Timer {
 public:
  Timer(Timers& timers, std::function<void()> fire);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  /// Arms it, or moves it when armed. A time that has passed fires at the next advance, never inside this
  /// call.
  void at(core::TimePoint when);
  /// at(now + delay); a delay beyond the end of the clock never fires.
  void after(core::Clock::duration delay);
  /// Arms it, or moves it, to the end of this turn: after the timers that are due, and before the loop waits
  /// again.
  void later();
  void cancel();
  bool armed() const { return next_ != nullptr; }

 private:
  friend class Timers;

  Timers& timers_;
  std::function<void()> fire_;
  Timer* next_ = nullptr;  // of a circular list, one for each slot
  Timer* previous_ = nullptr;
  std::uint64_t due_ = 0;  // in ticks
  std::size_t slot_ = 0;
};

/// The wheel. Must outlive its timers.
class Timers {
 public:
  /// `start` is the first now(); not before the clock's epoch.
  explicit Timers(core::TimePoint start);

  /// The time of this turn.
  core::TimePoint now() const { return now_; }
  /// No timer fires before this; nullopt when none is armed. May be earlier than the first expiry, never
  /// later.
  std::optional<core::TimePoint> next() const;
  /// Moves time forward without firing: timers that are due fire at the next advance_to().
  void set_now(core::TimePoint now) { now_ = std::max(now_, now); }
  /// Moves time forward and fires the timers that are due, by tick, and within a tick in order of arming. A
  /// timer that a callback arms for a time already passed fires at the next call, so a timer that re-arms
  /// itself cannot hold the loop. Timers armed by later() fire last, along with those that their callbacks
  /// arm in the same way; a chain of more than kRounds continues at the next call, which is due at once. A
  /// time before now() counts as now(). A callback's exception passes through; the rest fires at the next
  /// call.
  void advance_to(core::TimePoint now);

 private:
  friend class Timer;
  class Running;

  // Eight levels of 64 slots hold 2^48 ticks, which is more than the clock can count: nothing needs to be
  // clamped.
  static constexpr std::size_t kLevels = 8;
  static constexpr std::size_t kSlotBits = 6;
  static constexpr std::size_t kSlots = std::size_t{1} << kSlotBits;
  // Three further lists: timers armed for a time already passed, timers for the end of the turn, and timers
  // being fired.
  static constexpr std::size_t kPassed = kLevels * kSlots;
  static constexpr std::size_t kLater = kPassed + 1;
  static constexpr std::size_t kFiring = kLater + 1;
  static constexpr int kRounds = 8;  // of timers armed by later() in one turn

  struct Stop {
    std::size_t slot;
    std::uint64_t tick;
  };

  void arm(Timer& timer, core::TimePoint when);
  void file(Timer& timer);
  void append(Timer& timer, std::size_t slot);
  void remove(Timer& timer);
  void move_all(std::size_t from, std::size_t to);
  std::optional<Stop> first_stop() const;
  void fire_all();

  core::TimePoint start_;
  core::TimePoint now_;
  std::uint64_t tick_ = 0;
  Timer* running_ = nullptr;  // null also once the timer destroyed itself in its callback
  std::array<std::uint64_t, kLevels + 1> occupied_{};
  std::array<Timer*, kFiring + 1> heads_{};
};

}  // namespace zerosuite::net
