// KSUID (https://github.com/segmentio/ksuid): 32 bits of seconds since 2014-05-13 and 128 random bits.
// Thread-safe.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "id/text/number.hpp"

namespace zerosuite::id::formats {

struct Ksuid {
  std::uint32_t seconds = 0;  ///< Since kKsuidEpoch
  Number128 random;

  /// As one number of 160 bits.
  Ksuid plus(std::uint64_t step) const;
  friend auto operator<=>(const Ksuid&, const Ksuid&) = default;
};

/// In seconds since 1970.
inline constexpr std::int64_t kKsuidEpoch = 1'400'000'000;

/// 27 digits of base 62; texts sort as their ids do.
std::string ksuid_text(const Ksuid& ksuid);

}  // namespace zerosuite::id::formats
