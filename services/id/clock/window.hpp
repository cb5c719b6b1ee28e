// How much time is reserved in advance.
//
// When a process is killed, its successor skips what it had reserved. If processes were killed repeatedly
// within less than a window, ids would run ahead of the clock by one more window each time. So a process that
// starts ahead of the clock reserves no more than a small fraction of its own lifetime.
#pragma once

#include <algorithm>

#include "core/clock.hpp"
#include "net/timers.hpp"

namespace zerosuite::id {

/// A plain value.
class Window {
 public:
  /// The lifetime starts now.
  Window(const net::Timers& timers, core::milliseconds full)
      : timers_(timers), full_(full), born_(timers.now()) {}

  /// Whether the first reserved range begins ahead of the clock. Only the first call counts.
  void begins(bool ahead) {
    if (!known_) ahead_ = ahead;
    known_ = true;
  }
  core::milliseconds size() const {
    if (!ahead_) return full_;
    const auto lived = std::chrono::duration_cast<core::milliseconds>(timers_.now() - born_);
    return std::min(full_, std::max(kLeast, lived / kPart));
  }

 private:
  // While ids run ahead, they advance a tenth slower than the clock. With at most one and a half windows of a
  // twentieth of the lifetime reserved, the lead shrinks by at least a fortieth of each lifetime, and by all
  // the time between two processes.
  static constexpr int kPart = 20;
  static constexpr core::milliseconds kLeast{20};

  const net::Timers& timers_;
  const core::milliseconds full_;
  const core::TimePoint born_;
  bool known_ = false;
  bool ahead_ = true;
};

}  // namespace zerosuite::id
