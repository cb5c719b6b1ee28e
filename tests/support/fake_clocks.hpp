// The machine's two clocks, moved by the test.
#pragma once

#include <cstdint>

#include "core/clock.hpp"
#include "id/clock/clock.hpp"

namespace zerosuite::test {

/// 2024-01-01T00:00:00Z, where the wall clock starts.
inline constexpr std::int64_t kWallMs = 1'704'067'200'000;

class FakeClocks final : public id::Clocks {
 public:
  id::ClockReading read() const override { return now; }

  /// Time goes by.
  void pass(core::milliseconds duration) {
    step(duration);
    suspend(duration);
  }
  /// Somebody sets the wall clock, forward or back.
  void step(core::milliseconds duration) { now.wall_ns += duration.count() * 1'000'000; }
  /// Time of which the wall clock knows nothing.
  void suspend(core::milliseconds duration) { now.boot_ns += duration.count() * 1'000'000; }

  id::ClockReading now{kWallMs * 1'000'000, 5'000'000'000};
};

}  // namespace zerosuite::test
