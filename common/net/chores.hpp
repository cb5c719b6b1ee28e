// Work that may be long, in pieces: the loop serves its sockets in between.
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
  /// Does one small piece; false when it was the last.
  using Step = core::MoveFunction<bool()>;
  /// What the time is, which goes on within a turn too.
  using Watch = std::function<core::TimePoint()>;

  /// So long one turn, or one message of a turn, does pieces, of all chores of the list together; the last
  /// piece may take it beyond.
  static constexpr core::milliseconds kTurn{3};

  explicit Chores(Timers& timers, Watch watch = core::Clock::now)
      : timers_(timers), watch_(std::move(watch)), next_(timers, [this] { turn(); }) {}

  /// What is short is done before this returns, unless this turn has worked long enough, or it was called
  /// from a piece of another chore.
  void add(Step step) {
    steps_.push_back(std::move(step));
    if (running_ || next_.armed()) return;
    if (std::exchange(turn_, timers_.now()) != timers_.now()) worked_ = {};
    run();
  }
  std::size_t size() const { return steps_.size(); }

 private:
  void turn() {
    turn_ = timers_.now();
    worked_ = {};
    run();
  }
  void run() {
    running_ = true;
    const core::TimePoint begun = watch_() - worked_;
    while (worked_ < kTurn && !steps_.empty()) {
      Step step = std::move(steps_.front());
      steps_.pop_front();
      if (step()) steps_.push_back(std::move(step));
      worked_ = watch_() - begun;
    }
    running_ = false;
    if (!steps_.empty()) next_.after(core::milliseconds(0));
  }

  Timers& timers_;
  const Watch watch_;
  std::deque<Step> steps_;
  Timer next_;
  core::TimePoint turn_;            // the time of the turn that is counted
  core::Clock::duration worked_{};  // in that turn
  bool running_ = false;
};

}  // namespace zerosuite::net
