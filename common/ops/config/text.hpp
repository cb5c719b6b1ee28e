// Texts for people: quoting, and suggestions for misspelt names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "core/keyed_hash.hpp"
#include "core/text.hpp"

namespace zerosuite::ops {

using core::nearest, core::quote, core::word_or_quoted;

/// A substitute for bytes that must not be shown, such as the identity of a connection, which a peer that
/// knows it could take over. The same for the same bytes for the life of the process.
inline std::string pseudonym(std::string_view bytes) {
  const std::uint64_t hash = core::KeyedHash()(bytes);
  return core::hex({reinterpret_cast<const char*>(&hash), sizeof hash});
}

/// With ASCII letters in upper case.
inline std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

/// Throws core::Failure InvalidArgument, for a configuration that is not valid.
[[noreturn]] inline void refuse(const std::string& line) {
  throw core::Failure(core::kInvalidArgument, line);
}

}  // namespace zerosuite::ops
