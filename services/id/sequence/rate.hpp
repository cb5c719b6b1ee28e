// The number of values used per second, as an exponentially weighted moving average.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/clock.hpp"

namespace zerosuite::id {

/// A plain value.
class Rate {
 public:
  explicit Rate(core::TimePoint now) : since_(now) {}

  void count(std::int64_t values) { used_ += values; }
  /// Whether look() is due.
  bool due(core::TimePoint now) const { return now - since_ >= kLook; }
  /// Adds the values counted since the last look to the average.
  void look(core::TimePoint now) {
    const double seconds = std::chrono::duration<double>(now - since_).count();
    if (seconds <= 0) return;
    const double weight = 1 - std::exp(-seconds / kSeconds);
    per_second_ += weight * (static_cast<double>(used_) / seconds - per_second_);
    used_ = 0;
    since_ = now;
  }
  double per_second() const { return per_second_; }

 private:
  static constexpr core::milliseconds kLook{100};
  static constexpr double kSeconds = 10;  // the time constant: older values weigh 1/e in total

  core::TimePoint since_;
  std::int64_t used_ = 0;
  double per_second_ = 0;
};

}  // namespace zerosuite::id
