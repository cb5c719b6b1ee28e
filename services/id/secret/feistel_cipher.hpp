// A keyed permutation of the numbers of a given width: ids that reveal neither counts nor order.
//
// An alternating Feistel network: each half in turn is XORed with a keyed hash of the other, which is
// invertible for any hash. Twelve rounds, as FFX requires for halves of different widths (Bellare, Rogaway
// and Spies, "The FFX Mode of Operation for Format-Preserving Encryption", 2010); ten would suffice against
// chosen-text attacks (Patarin, "Security of Random Feistel Schemes with 5 or More Rounds", CRYPTO 2004).
// Thread-safe.
#pragma once

#include <cstdint>

#include "id/secret/keyed_hash.hpp"

namespace zerosuite::id::formats {

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

}  // namespace zerosuite::id::formats
