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

  /// For how long pieces of all chores of the list are done before the loop goes on; the last piece may take
  /// it beyond.
  static constexpr core::milliseconds kTurn{3};

  explicit Chores(Timers& timers, Watch watch = core::Clock::now)
      : watch_(std::move(watch)), next_(timers, [this] { run(); }) {}

  /// Never does a piece inside this call: what is short is done at the end of the turn.
  void add(Step step) {
    steps_.push_back(std::move(step));
    if (!next_.armed()) next_.later();
  }
  std::size_t size() const { return steps_.size(); }

 private:
  // What a piece adds is done with the rest.
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
