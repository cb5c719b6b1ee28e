// Conversions between text and numbers or bytes, and the checking and quoting of foreign text.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace zerosuite::core {

/// Parses all of `text` as a number, without blanks or a plus sign; nullopt for anything else, and for a
/// number that T cannot hold.
template <std::integral T>
std::optional<T> parse(std::string_view text, int base = 10) {
  T number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, base);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

/// Two lower-case digits for each byte.
std::string hex(std::string_view bytes);
/// Reads two digits, of either case, for each byte of `out`. Returns false when `digits` are not exactly
/// that.
bool unhex(std::string_view digits, std::span<unsigned char> out);

/// `text` between double quotes, on one line and in printable ASCII: other bytes appear as \xNN, so that data
/// from a peer cannot control a terminal or forge a line. Text longer than 200 bytes is cut and ends in
/// "...".
std::string quote(std::string_view text);
/// `text` unchanged when it is one plain word, otherwise quote().
std::string word_or_quoted(std::string_view text);

/// Whether `text` is well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
bool is_utf8(std::string_view text);

/// The known name closest to `name` by optimal string alignment (insert, delete, replace, swap neighbours: 1
/// each); nullopt when none is close enough to be a typing error.
std::optional<std::string> nearest(std::string_view name, std::span<const std::string> known);

/// Throws core::Failure(InvalidArgument): "WHAT must be from LOW to HIGH, not VALUE".
void check_range(std::string_view what, std::int64_t value, std::int64_t low, std::int64_t high);

}  // namespace zerosuite::core
