// Deterministic authenticated encryption of a 64-bit number into 128 bits: the SIV construction (Rogaway and
// Shrimpton, "Deterministic Authenticated-Encryption", EUROCRYPT 2006) with SipHash for both of its
// functions. The same number always gives the same result. Thread-safe.
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

  /// Returns a keyed hash of the number, and the number XORed with a mask derived from that hash.
  Number128 close(std::uint64_t number) const {
    const std::uint64_t check = siphash(number, check_);
    return joined(check, number ^ siphash(check, mask_));
  }
  /// nullopt if `sealed` was not made by close() with these keys, except with a probability of 2^-64.
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
