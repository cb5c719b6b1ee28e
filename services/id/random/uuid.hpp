// Universally unique ids (RFC 9562): composing their bits, their text form, and strictly increasing times for
// them. Functions are thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "id/text/digits.hpp"

namespace zerosuite::id::formats {

/// The fields of versions 1 and 6.
struct Uuid1Parts {
  std::int64_t ticks = 0;       ///< 60 bits: units of 100 ns since 1582-10-15
  std::uint32_t clock_seq = 0;  ///< 14 bits
  std::uint64_t node = 0;       ///< 48 bits
};

/// The ticks at 1970-01-01.
inline constexpr std::int64_t kGregorianTicks = 0x01B21DD213814000;
/// The bit that marks a node as random, not a network card's address (§6.10).
inline constexpr std::uint64_t kRandomNode = std::uint64_t{1} << 40;

/// Version 1: the low bits of the time come first.
Number128 uuid1(const Uuid1Parts& parts);
/// Version 6: as version 1, but sorts by time.
Number128 uuid6(const Uuid1Parts& parts);
/// Version 4: 122 of the bits; the others are version and variant.
Number128 uuid4(Number128 random);
/// Version 7: 60 bits of the time since 1970 in 1/4096 ms, that is 48 bits of ms and 12 bits of fraction, and
/// 62 bits of `random` (§6.2, method 3).
Number128 uuid7(std::int64_t ticks, std::uint64_t random);

/// 36 characters.
std::string uuid_text(Number128 uuid);

}  // namespace zerosuite::id::formats

namespace zerosuite::id {

/// Strictly increasing times: instead of repeating or falling, they run ahead of the clock. Belongs to one
/// thread.
class MonotonicTicks {
 public:
  std::int64_t next(std::int64_t now) {
    last_ = std::max(now, last_ + 1);
    return last_;
  }
  /// All later times are at least `first`.
  void raise(std::int64_t first) { last_ = std::max(last_, first - 1); }
  std::int64_t last() const { return last_; }

 private:
  std::int64_t last_ = 0;
};

}  // namespace zerosuite::id
