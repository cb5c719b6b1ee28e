// Ids that reveal nothing: under a key, as a number in another order (obf) or as a text that cannot be forged
// (token).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "id/secret/feistel_cipher.hpp"
#include "id/secret/secret_keys.hpp"
#include "id/secret/siv_cipher.hpp"

namespace zerosuite::id {

/// Both depend on a context, a text of the caller's: a token of one does not open in another, and an obf
/// gives another id there, since it has no room for a check. Belongs to one thread. Everything throws
/// core::Failure EngineDisabled when there are no keys.
class Secrets {
 public:
  /// The first key makes; the others open what was made with them before.
  explicit Secrets(std::vector<SecretKey> keys);
  /// Only throws, when there are no keys.
  void require_keys() const { active(); }

  /// The key's character and 11 digits of base 62: no order, no gaps, no counts, but anybody may make one up.
  /// For an id ≥ 0.
  std::string obf(std::int64_t id, std::string_view context = {}) const;
  /// InvalidArgument for what obf() does not make with these keys; in another context, another id.
  std::int64_t deobf(std::string_view text, std::string_view context = {}) const;

  /// The key's character and 22 digits of base 62: a made-up one opens with a chance of 2^-64. For an id ≥ 0.
  std::string token(std::int64_t id, std::string_view context = {}) const;
  /// BadToken for what token() does not make with these keys in this context.
  std::int64_t untoken(std::string_view text, std::string_view context = {}) const;

 private:
  /// A key with what it does in the empty context, which is asked for most.
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
