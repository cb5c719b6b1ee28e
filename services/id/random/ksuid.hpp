// KSUID (https://github.com/segmentio/ksuid): 32 bits of seconds since 2014-05-13 and 128 random bits.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <limits>
#include <span>
#include <string>

#include "core/random.hpp"
#include "id/clock/clock.hpp"
#include "id/text/digits.hpp"

namespace zerosuite::id::formats {

struct Ksuid {
  std::uint32_t seconds = 0;  ///< Since kKsuidEpoch
  Number128 random = 0;

  /// The sum, as one 160-bit number.
  Ksuid plus(std::uint64_t step) const;
  friend auto operator<=>(const Ksuid&, const Ksuid&) = default;
};

/// In seconds since 1970.
inline constexpr std::int64_t kKsuidEpoch = 1'400'000'000;

/// 27 base 62 digits; texts sort as their ids do.
inline std::string ksuid_text(const Ksuid& ksuid) {
  // A 160-bit number: after its last ten digits are split off, the rest fits into 128 bits.
  constexpr std::uint64_t kRange = 839'299'365'868'340'224;  // 62^10
  const Number128 high = Number128{ksuid.seconds} << 64 | high_half(ksuid.random);
  const Number128 low = high % kRange << 64 | low_half(ksuid.random);
  std::string text(27, '\0');
  write((high / kRange << 64) + low / kRange, kBase62Digits, std::span(text).first(17));
  write(low % kRange, kBase62Digits, std::span(text).last(10));
  return text;
}

inline Ksuid Ksuid::plus(std::uint64_t step) const {
  const Number128 sum = random + step;
  return {sum < random ? seconds + 1 : seconds, sum};
}

}  // namespace zerosuite::id::formats

namespace zerosuite::id {

/// Strictly increasing: within a second each is the previous one plus 64 random bits, so that none can be
/// guessed from another. Belongs to one thread; must not outlive its entropy.
class MonotonicKsuids {
 public:
  explicit MonotonicKsuids(core::Entropy& entropy) : entropy_(entropy) {}

  /// Throws core::Failure TimeExhausted for a time from 2150 on or before 2014.
  formats::Ksuid next(std::int64_t seconds_since_1970);
  /// The next one has new random bits, and a later second so that it is still greater.
  void renew() { stale_ = true; }
  /// All later ones have at least this second.
  void raise(std::int64_t first_second);
  std::int64_t last_second() const { return formats::kKsuidEpoch + last_.seconds; }

 private:
  core::Entropy& entropy_;
  formats::Ksuid last_;
  bool stale_ = false;
};

inline formats::Ksuid MonotonicKsuids::next(std::int64_t seconds_since_1970) {
  const std::int64_t now = seconds_since_1970 - formats::kKsuidEpoch;
  const std::int64_t next = std::int64_t{last_.seconds} + 1;
  if (now < next && !stale_) {
    last_ = last_.plus(std::max<std::uint64_t>(entropy_.bits(), 1));
  } else {
    const std::uint32_t seconds = seconds_in_32_bits(std::max(now, next));
    const std::uint64_t high = entropy_.bits();
    last_ = {seconds, formats::joined(high, entropy_.bits())};
    stale_ = false;
  }
  return last_;
}

inline void MonotonicKsuids::raise(std::int64_t first_second) {
  if (first_second > last_second() + 1) {
    const std::int64_t most = std::numeric_limits<std::uint32_t>::max();
    last_ = {seconds_in_32_bits(std::min(first_second - 1 - formats::kKsuidEpoch, most)), 0};
  }
  renew();
}

}  // namespace zerosuite::id
