// KSUID (https://github.com/segmentio/ksuid): 32 bits of seconds since 2014-05-13 and 128 random bits.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "core/entropy.hpp"
#include "id/text/digits.hpp"

namespace zerosuite::id::formats {

struct Ksuid {
  std::uint32_t seconds = 0;  ///< Since kKsuidEpoch
  Number128 random = 0;

  /// As one number of 160 bits.
  Ksuid plus(std::uint64_t step) const;
  friend auto operator<=>(const Ksuid&, const Ksuid&) = default;
};

/// In seconds since 1970.
inline constexpr std::int64_t kKsuidEpoch = 1'400'000'000;

/// 27 digits of base 62; texts sort as their ids do.
std::string ksuid_text(const Ksuid& ksuid);

}  // namespace zerosuite::id::formats

namespace zerosuite::id {

/// Only rise: within a second each is the one before plus 64 random bits, so none can be guessed from
/// another. Belongs to one thread; must not outlive its entropy.
class MonotonicKsuids {
 public:
  explicit MonotonicKsuids(core::Entropy& entropy) : entropy_(entropy) {}

  /// Throws core::Failure TimeExhausted from 2150 on, and before 2014.
  formats::Ksuid next(std::int64_t seconds_since_1970);
  /// The next one has other random bits, and a later second so that it still rises.
  void renew() { stale_ = true; }
  /// None of an earlier second is given any more.
  void raise(std::int64_t first_second);
  std::int64_t last_second() const { return formats::kKsuidEpoch + last_.seconds; }

 private:
  core::Entropy& entropy_;
  formats::Ksuid last_;
  bool stale_ = false;
};

}  // namespace zerosuite::id
