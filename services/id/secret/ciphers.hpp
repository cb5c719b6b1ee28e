// The keyed hashes and ciphers, by libsodium, that ids are encrypted with. Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "id/text/digits.hpp"

namespace zerosuite::id::formats {

/// A 128-bit key for one purpose in one context.
using Subkey = std::array<unsigned char, 16>;

/// SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", INDOCRYPT 2012).
std::uint64_t siphash(std::span<const unsigned char> message, const Subkey& key);
/// The same of a number's eight bytes, in little-endian order.
std::uint64_t siphash(std::uint64_t number, const Subkey& key);

/// Keyed BLAKE2b (RFC 7693) of the purpose, a zero byte and the context. `master` has 16 to 64 bytes; the
/// purpose has no zero byte.
Subkey derive(std::span<const unsigned char> master, std::string_view purpose, std::string_view context);

/// Compares in constant time.
bool equal(std::uint64_t left, std::uint64_t right);

/// A keyed permutation of the numbers of a given width: ids that reveal neither counts nor order.
///
/// An alternating Feistel network: each half in turn is XORed with a keyed hash of the other, which is
/// invertible for any hash. Twelve rounds, as FFX requires for halves of different widths (Bellare, Rogaway
/// and Spies, "The FFX Mode of Operation for Format-Preserving Encryption", 2010); ten would suffice against
/// chosen-text attacks (Patarin, "Security of Random Feistel Schemes with 5 or More Rounds", CRYPTO 2004).
class FeistelCipher {
 public:
  /// Permutes 0 … 2^(left_bits + right_bits) − 1; each half has 1 to 32 bits.
  explicit FeistelCipher(const Subkey& key, int left_bits = 31, int right_bits = 32)
      : key_(key), left_bits_(left_bits), right_bits_(right_bits) {}

  std::uint64_t apply(std::uint64_t number) const;
  std::uint64_t invert(std::uint64_t number) const;

 private:
  struct Halves {
    std::uint64_t left;
    std::uint64_t right;
  };

  Halves split(std::uint64_t number) const;
  std::uint64_t join(const Halves& halves) const { return halves.left << right_bits_ | halves.right; }
  void turn(Halves& halves, unsigned round) const;

  Subkey key_;
  int left_bits_;
  int right_bits_;
};

/// Deterministic authenticated encryption of a 64-bit number into 128 bits: the SIV construction (Rogaway and
/// Shrimpton, "Deterministic Authenticated-Encryption", EUROCRYPT 2006) with SipHash for both of its
/// functions. The same number always gives the same result.
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
