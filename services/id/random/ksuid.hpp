// KSUID (https://github.com/segmentio/ksuid): 32 bits of seconds since 2014-05-13 and 128 random bits.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "core/random.hpp"
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
std::string ksuid_text(const Ksuid& ksuid);

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

}  // namespace zerosuite::id
