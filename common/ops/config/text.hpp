// Texts for people: quoting, and suggestions for misspelt names.
#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace zerosuite::ops {

/// The parts in one string. (g++ 12 warns of overlapping copies in `"literal" + std::string()`: GCC bug
/// 105329.)
std::string concat(std::initializer_list<std::string_view> parts);

/// Two lower-case digits for each byte.
std::string hex(std::string_view bytes);
/// Stands for bytes that must not be shown, such as the identity of a connection: a peer that knows it could
/// take it over. The same for the same bytes as long as the process lives.
std::string pseudonym(std::string_view bytes);

/// `text` between double quotes, on one line and in printable ASCII: other bytes appear as \xNN, so that
/// nothing a peer sends can steer a terminal or forge a line. Longer than 200 bytes: the beginning and "...".
std::string quote(std::string_view text);

/// `text` as it is when it is one plain word, otherwise quote().
std::string word_or_quoted(std::string_view text);

/// The known name closest to `name` by optimal string alignment (insert, delete, replace, swap neighbours: 1
/// each); nullopt when none is near enough to be a slip of the hand.
std::optional<std::string> nearest(std::string_view name, std::span<const std::string> known);

/// Throws core::Failure InvalidArgument: what somebody configured cannot be.
[[noreturn]] void refuse(const std::string& line);

}  // namespace zerosuite::ops
