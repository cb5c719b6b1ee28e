// Ids as text: one text per id, of fixed length, so that texts sort as their ids do (except for plain
// decimal).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace zerosuite::id::formats {

enum class Form : std::uint8_t {
  kDecimal,  ///< Not padded.
  kBase32,   ///< Crockford's, 13 digits (https://www.crockford.com/base32.html)
  kBase36,   ///< 0-9a-z, 13 digits
  kBase58,   ///< Bitcoin's digits in ASCII order, 11 digits
  kBase62,   ///< 0-9A-Za-z, 11 digits
  kHex,      ///< 16 digits, lower case
};

/// "dec", "b32", "b36", "b58", "b62", "hex".
std::optional<Form> form_of(std::string_view name);

/// The text of an id ≥ 0.
std::string encode(std::int64_t id, Form form);

/// The id of a text that encode() made. Throws core::Failure InvalidArgument for anything else: other digits,
/// another length, an id of 2^63 or more. Crockford's I, L and O and small letters are not taken for what
/// they look like.
std::int64_t decode(std::string_view text, Form form);

/// A text in quotation marks for a message, or its length if it is longer than any id.
std::string shown(std::string_view text);

}  // namespace zerosuite::id::formats
