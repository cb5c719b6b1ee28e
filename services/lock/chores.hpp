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

  /// So many pieces are done in one turn: a few milliseconds.
  static constexpr std::size_t kPieces = 256;

  explicit Chores(net::Timers& timers) : next_(timers, [this] { run(); }) {}

  /// What is short is done before this returns, unless it was called from a piece of another chore.
  void add(Step step) {
    steps_.push_back(std::move(step));
    if (!running_ && steps_.size() == 1) run();
  }
  std::size_t size() const { return steps_.size(); }

 private:
  void run() {
    running_ = true;
    for (std::size_t i = 0; i < kPieces && !steps_.empty(); ++i) {
      Step step = std::move(steps_.front());
      steps_.pop_front();
      if (step()) steps_.push_back(std::move(step));
    }
    running_ = false;
    if (!steps_.empty()) next_.after(core::milliseconds(0));
  }

  std::deque<Step> steps_;
  net::Timer next_;
  bool running_ = false;
};

}  // namespace zerosuite::lock
