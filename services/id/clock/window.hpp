// How much time is reserved in advance.
//
// A process that is killed leaves out what it had reserved. If its successor were killed again before that
// much time has passed, and the next one too, ids would run ahead of the clock by a window each time. So one
// that begins ahead of the clock reserves no more than a small part of the time that it has lived.
#pragma once

#include <algorithm>

#include "core/clock.hpp"
#include "net/timers.hpp"

namespace zerosuite::id {

/// A plain value.
class Window {
 public:
  /// Lives from now on.
  Window(const net::Timers& timers, core::milliseconds full)
      : timers_(timers), full_(full), born_(timers.now()) {}

  /// What was reserved first does, or does not, begin ahead of the clock. Only the first word counts.
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
  // While ids run ahead they go a tenth slower than the clock. With one and a half windows of a twentieth
  // reserved they lose a fortieth of each life, and all the time between two.
  static constexpr int kPart = 20;
  static constexpr core::milliseconds kLeast{20};

  const net::Timers& timers_;
  const core::milliseconds full_;
  const core::TimePoint born_;
  bool known_ = false;
  bool ahead_ = true;
};

}  // namespace zerosuite::id
