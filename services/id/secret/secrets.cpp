#include "id/secret/secrets.hpp"

#include <algorithm>
#include <optional>

#include "core/error.hpp"
#include "id/text/digits.hpp"

namespace zerosuite::id {
namespace {

using formats::Number128;

constexpr std::size_t kObfDigits = 11, kTokenDigits = 22;

formats::FeistelCipher permutation_of(const SecretKey& key, std::string_view context) {
  return formats::FeistelCipher(formats::derive(key.bytes, "obf", context));
}

formats::SivCipher seal_of(const SecretKey& key, std::string_view context) {
  return {formats::derive(key.bytes, "token check", context),
          formats::derive(key.bytes, "token mask", context)};
}

std::string text_of(const SecretKey& key, Number128 number, std::size_t digits) {
  std::string text(1 + digits, key.id);
  formats::write(number, formats::kBase62Digits, std::span(text).subspan(1));
  return text;
}

/// The number in a text that begins with its key's character.
std::optional<Number128> number_of(std::string_view text) {
  return formats::read(text.substr(1), formats::kBase62Digits);
}

}  // namespace

Secrets::KeyContext::KeyContext(SecretKey made)
    : key(std::move(made)), permutation(permutation_of(key, "")), seal(seal_of(key, "")) {}

Secrets::Secrets(std::vector<SecretKey> keys) {
  tools_.reserve(keys.size());
  for (SecretKey& key : keys) tools_.emplace_back(std::move(key));
}

std::string Secrets::obf(std::int64_t id, std::string_view context) const {
  const KeyContext& tool = active();
  return text_of(tool.key, permutation(tool, context).apply(static_cast<std::uint64_t>(id)), kObfDigits);
}

std::int64_t Secrets::deobf(std::string_view text, std::string_view context) const {
  if (const KeyContext* tool = find(text, kObfDigits))
    if (const auto number = number_of(text); number && formats::id_of(*number))
      return static_cast<std::int64_t>(permutation(*tool, context).invert(formats::low_half(*number)));
  throw core::Failure(core::kInvalidArgument, formats::shown(text) + " was not made by obf with these keys");
}

std::string Secrets::token(std::int64_t id, std::string_view context) const {
  const KeyContext& tool = active();
  return text_of(tool.key, seal(tool, context).close(static_cast<std::uint64_t>(id)), kTokenDigits);
}

std::int64_t Secrets::untoken(std::string_view text, std::string_view context) const {
  if (const KeyContext* tool = find(text, kTokenDigits))
    if (const auto sealed = number_of(text))
      if (const auto number = seal(*tool, context).open(*sealed))
        if (const auto id = formats::id_of(*number)) return *id;
  throw core::Failure(core::kBadToken,
                      formats::shown(text) + " was not made by token with these keys in this context");
}

formats::FeistelCipher Secrets::permutation(const KeyContext& tool, std::string_view context) {
  return context.empty() ? tool.permutation : permutation_of(tool.key, context);
}

formats::SivCipher Secrets::seal(const KeyContext& tool, std::string_view context) {
  return context.empty() ? tool.seal : seal_of(tool.key, context);
}

const Secrets::KeyContext& Secrets::active() const {
  if (!tools_.empty()) return tools_.front();
  throw core::Failure(core::kEngineDisabled,
                      "obf and token need keys: name a keys_file, or set ZEROSUITE_ID_KEYS");
}

/// The key of a text with that key character and that number of digits; null when there is none.
const Secrets::KeyContext* Secrets::find(std::string_view text, std::size_t digits) const {
  active();
  if (text.size() != 1 + digits) return nullptr;
  const auto found = std::find_if(tools_.begin(), tools_.end(),
                                  [&](const KeyContext& tool) { return tool.key.id == text.front(); });
  return found == tools_.end() ? nullptr : &*found;
}

}  // namespace zerosuite::id
