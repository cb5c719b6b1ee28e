// A number that cannot be read, forged or changed without the key, in twice its bits: the construction SIV
// (Rogaway and Shrimpton, "Deterministic Authenticated-Encryption", EUROCRYPT 2006) with SipHash for both of
// its functions. The same number always gives the same seal. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>

#include "id/secret/keyed_hash.hpp"
#include "id/text/digits.hpp"

namespace zerosuite::id::formats {

class SivCipher {
 public:
  /// The keys must be independent of one another.
  SivCipher(const Subkey& check, const Subkey& mask) : check_(check), mask_(mask) {}

  /// A keyed hash of the number, and the number under a mask made from that hash.
  Number128 close(std::uint64_t number) const {
    const std::uint64_t check = siphash(number, check_);
    return joined(check, number ^ siphash(check, mask_));
  }
  /// nullopt when it was not made by close() with these keys, but for a chance of 2^-64.
  std::optional<std::uint64_t> open(Number128 sealed) const {
    const std::uint64_t check = high_half(sealed);
    const std::uint64_t number = low_half(sealed) ^ siphash(check, mask_);
    if (!equal(siphash(number, check_), check)) return std::nullopt;
    return number;
  }

 private:
  Subkey check_;
  Subkey mask_;
};

}  // namespace zerosuite::id::formats
