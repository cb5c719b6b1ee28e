// A permutation of the numbers of a given width, chosen by a key: ids that neither count nor sort.
//
// An alternating Feistel network: each half in turn is changed by a keyed hash of the other, so that it can
// be undone whatever the hash. Twelve rounds, as FFX asks for halves of different widths (Bellare, Rogaway
// and Spies, "The FFX Mode of Operation for Format-Preserving Encryption", 2010); ten would do against chosen
// texts (Patarin, "Security of Random Feistel Schemes with 5 or More Rounds", CRYPTO 2004). Thread-safe.
#pragma once

#include <cstdint>

#include "id/secret/keyed_hash.hpp"

namespace zerosuite::id::formats {

class FeistelCipher {
 public:
  /// Of 0 … 2^(left_bits + right_bits) − 1; 1 to 32 bits each.
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
