// Encrypted ids: permuted under a key (obf), or as a text that cannot be forged (token).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "id/secret/ciphers.hpp"
#include "id/secret/secret_file.hpp"

namespace zerosuite::id {

/// Both depend on a context, a text chosen by the caller: a token of one context is rejected in another,
/// while an obf decodes to another id there, since it has no room for a check. Belongs to one thread. All
/// methods throw core::Failure EngineDisabled if there are no keys.
class Secrets {
 public:
  /// The first key encrypts; the others only decrypt what was made with them before.
  explicit Secrets(std::vector<SecretKey> keys);
  /// Throws if there are no keys.
  void require_keys() const { active(); }

  /// The key's character and 11 base 62 digits: reveals no order, gaps or counts, but can be made up. For an
  /// id ≥ 0.
  std::string obf(std::int64_t id, std::string_view context = {}) const;
  /// InvalidArgument for a text that obf() does not make with these keys; in another context, returns another
  /// id.
  std::int64_t deobf(std::string_view text, std::string_view context = {}) const;

  /// The key's character and 22 base 62 digits: a made-up one is accepted with a probability of 2^-64. For an
  /// id ≥ 0.
  std::string token(std::int64_t id, std::string_view context = {}) const;
  /// BadToken for a text that token() does not make with these keys in this context.
  std::int64_t untoken(std::string_view text, std::string_view context = {}) const;

 private:
  /// A key with its ciphers for the empty context, which is the most frequent one.
  struct KeyContext {
    explicit KeyContext(SecretKey made);

    SecretKey key;
    formats::FeistelCipher permutation;
    formats::SivCipher seal;
  };

  static formats::FeistelCipher permutation(const KeyContext& tool, std::string_view context);
  static formats::SivCipher seal(const KeyContext& tool, std::string_view context);
  const KeyContext& active() const;
  const KeyContext* find(std::string_view text, std::size_t digits) const;

  core::SecretVector<KeyContext> tools_;
};

}  // namespace zerosuite::id
