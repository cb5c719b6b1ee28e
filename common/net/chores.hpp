// Long work done in small pieces, so that the loop serves its sockets in between.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <utility>

#include "core/function.hpp"
#include "net/timers.hpp"

namespace zerosuite::net {

/// Loop thread only.
class Chores {
 public:
  /// Does one small piece; returns false after the last one.
  using Step = core::MoveFunction<bool()>;
  /// Returns the current time, which, unlike Timers::now(), advances within a turn.
  using Watch = std::function<core::TimePoint()>;

  /// Time per turn for all chores together; the last piece may overrun it.
  static constexpr core::milliseconds kTurn{3};

  explicit Chores(Timers& timers, Watch watch = core::Clock::now)
      : watch_(std::move(watch)), next_(timers, [this] { run(); }) {}

  /// Does nothing inside this call; the first pieces run at the end of the turn.
  void add(Step step) {
    steps_.push_back(std::move(step));
    if (!next_.armed()) next_.later();
  }
  std::size_t size() const { return steps_.size(); }

 private:
  // Chores added by a piece run with the others.
  void run() {
    const core::TimePoint end = watch_() + kTurn;
    do {
      Step step = std::move(steps_.front());
      steps_.pop_front();
      if (step()) steps_.push_back(std::move(step));
    } while (!steps_.empty() && watch_() < end);
    steps_.empty() ? next_.cancel() : next_.after(core::milliseconds(0));
  }

  const Watch watch_;
  std::deque<Step> steps_;
  Timer next_;
};

}  // namespace zerosuite::net
