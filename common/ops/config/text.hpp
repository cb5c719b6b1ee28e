// Words for people: what a program was told, and what it may have been meant.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "core/text.hpp"

namespace zerosuite::ops {

using core::nearest, core::quote, core::word_or_quoted;

/// The parts in one string. (g++ 12 warns of overlapping copies in `"literal" + std::string()`: GCC bug
/// 105329.)
std::string concat(std::initializer_list<std::string_view> parts);

/// Stands for bytes that must not be shown, such as the identity of a connection: whoever knows it could
/// take it over. The same for the same bytes as long as the process lives.
std::string pseudonym(std::string_view bytes);

/// Throws core::Failure InvalidArgument: what somebody configured cannot be.
[[noreturn]] void refuse(const std::string& line);

}  // namespace zerosuite::ops
