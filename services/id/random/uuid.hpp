// Universally unique ids (RFC 9562): their bits from what they are made of, and their text; and times for
// them that only rise. Functions are thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "id/text/digits.hpp"

namespace zerosuite::id::formats {

/// What versions 1 and 6 are made of.
struct Uuid1Parts {
  std::int64_t ticks = 0;       ///< 60 bits: 100 ns each, since 1582-10-15
  std::uint32_t clock_seq = 0;  ///< 14 bits
  std::uint64_t node = 0;       ///< 48 bits
};

/// The ticks at 1970-01-01.
inline constexpr std::int64_t kGregorianTicks = 0x01B21DD213814000;
/// The bit of a node that says that it is no network card's, but random (§6.10).
inline constexpr std::uint64_t kRandomNode = std::uint64_t{1} << 40;

/// The time's bits are turned round.
Number128 uuid1(const Uuid1Parts& parts);
/// As version 1, but in an order that sorts by time.
Number128 uuid6(const Uuid1Parts& parts);
/// 122 of the bits, the rest says what it is.
Number128 uuid4(Number128 random);
/// ms since 1970 and 12 bits below them, in one number: the time in 1/4096 ms, of which 60 bits are taken;
/// and 62 bits of `random` (§6.2, method 3).
Number128 uuid7(std::int64_t ticks, std::uint64_t random);

/// 36 characters.
std::string uuid_text(Number128 uuid);

}  // namespace zerosuite::id::formats

namespace zerosuite::id {

/// Times of which none is given twice: what would repeat or fall borrows the moments to come. Belongs to one
/// thread.
class MonotonicTicks {
 public:
  std::int64_t next(std::int64_t now) {
    last_ = std::max(now, last_ + 1);
    return last_;
  }
  /// None below `first` is given any more.
  void raise(std::int64_t first) { last_ = std::max(last_, first - 1); }
  std::int64_t last() const { return last_; }

 private:
  std::int64_t last_ = 0;
};

}  // namespace zerosuite::id
