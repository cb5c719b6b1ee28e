// Work that may be long, in pieces: the loop serves its sockets in between.
#pragma once

#include <cstddef>
#include <deque>
#include <utility>

#include "core/function.hpp"
#include "net/timers.hpp"

namespace zerosuite::lock {

/// Loop thread only.
class Chores {
 public:
  /// Does one small piece; false when it was the last.
  using Step = core::MoveFunction<bool()>;

  /// So many pieces are done in one turn, of all chores together: a few milliseconds.
  static constexpr std::size_t kPieces = 256;

  explicit Chores(net::Timers& timers) : timers_(timers), next_(timers, [this] { turn(); }) {}

  /// What is short is done before this returns, unless this turn has had its pieces, or it was called from a
  /// piece of another chore.
  void add(Step step) {
    steps_.push_back(std::move(step));
    if (running_ || next_.armed()) return;
    if (std::exchange(time_, timers_.now()) != timers_.now()) left_ = kPieces;
    run();
  }
  std::size_t size() const { return steps_.size(); }

 private:
  void turn() {
    time_ = timers_.now();
    left_ = kPieces;
    run();
  }
  void run() {
    running_ = true;
    for (; left_ > 0 && !steps_.empty(); --left_) {
      Step step = std::move(steps_.front());
      steps_.pop_front();
      if (step()) steps_.push_back(std::move(step));
    }
    running_ = false;
    if (!steps_.empty()) next_.after(core::milliseconds(0));
  }

  net::Timers& timers_;
  std::deque<Step> steps_;
  net::Timer next_;
  core::TimePoint time_;  // of the turn that the pieces are counted in
  std::size_t left_ = kPieces;
  bool running_ = false;
};

}  // namespace zerosuite::lock
