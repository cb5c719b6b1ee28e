// Counters of the broker since its start.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "core/clock.hpp"

namespace zerosuite::lock {

/// Durations in buckets below 1 ms, 2 ms, 4 ms …: percentiles are accurate within a factor of two.
class Histogram {
 public:
  static constexpr std::size_t kBuckets = 28;  // the last one: a day and more

  void add(core::Clock::duration duration) {
    const auto ms =
        static_cast<std::uint64_t>(std::chrono::duration_cast<core::milliseconds>(duration).count());
    ++buckets_[std::min<std::size_t>(static_cast<std::size_t>(std::bit_width(ms)), kBuckets - 1)];
  }
  const std::array<std::uint64_t, kBuckets>& buckets() const { return buckets_; }
  static std::uint64_t below_ms(std::size_t bucket) { return std::uint64_t{1} << bucket; }

 private:
  std::array<std::uint64_t, kBuckets> buckets_{};
};

struct Counters {
  std::uint64_t grants = 0;  ///< Without re-entries and replays.
  std::uint64_t reentries = 0;
  std::uint64_t replays = 0;
  std::uint64_t busy = 0;
  std::uint64_t timeouts = 0;
  std::uint64_t withdrawn = 0;  ///< Waits whose client disconnected or gave up.
  std::uint64_t deadlocks = 0;
  std::uint64_t releases = 0;
  std::uint64_t extensions = 0;
  std::uint64_t expired = 0;
  std::uint64_t revoked = 0;
  std::uint64_t sessions_lost = 0;
  Histogram waited;  ///< How long grants had waited.
  Histogram held;    ///< How long ended holds had been held.
};

}  // namespace zerosuite::lock
