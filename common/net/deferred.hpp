// Calls that must not run inside the one that causes them.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <utility>

#include "core/function.hpp"
#include "net/timers.hpp"

namespace zerosuite::net {

/// Calls put off to the end of the turn. Loop thread only.
class Deferred {
 public:
  using Call = core::MoveFunction<void()>;

  explicit Deferred(Timers& timers) : turn_ends_(timers, [this] { run(); }) {}

  /// Calls `call` once at the end of this turn, never inside this call, in the order of the calls. Nothing is
  /// called once this is destroyed, which a call may do.
  void add(Call call) {
    calls_.push_back(std::move(call));
    turn_ends_.later();
  }
  /// Whether nothing waits.
  bool empty() const { return calls_.empty(); }
  /// Makes the calls that wait, now. If one throws, the rest is made at the end of the turn.
  void run() {
    const std::weak_ptr<const bool> life = life_;
    // Not those that are added meanwhile: they would hold the loop.
    for (std::size_t left = calls_.size(); left > 0 && !life.expired(); --left) {
      Call call = std::move(calls_.front());
      calls_.pop_front();
      try {
        call();
      } catch (...) {
        if (!life.expired() && !calls_.empty()) turn_ends_.later();
        throw;
      }
    }
  }

 private:
  std::deque<Call> calls_;
  Timer turn_ends_;
  std::shared_ptr<const bool> life_ = std::make_shared<const bool>(true);
};

}  // namespace zerosuite::net
