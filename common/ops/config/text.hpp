// Texts for people: quoting, and suggestions for misspelt names.
#pragma once

#include <string>
#include <string_view>

#include "core/text.hpp"

namespace zerosuite::ops {

using core::nearest, core::quote, core::word_or_quoted;

/// Stands for bytes that must not be shown, such as the identity of a connection: a peer that knows it could
/// take it over. The same for the same bytes as long as the process lives.
std::string pseudonym(std::string_view bytes);

/// Throws core::Failure InvalidArgument: what somebody configured cannot be.
[[noreturn]] void refuse(const std::string& line);

}  // namespace zerosuite::ops
