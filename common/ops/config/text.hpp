// Texts for people: quoting, and suggestions for misspelt names.
#pragma once

#include <string>
#include <string_view>

#include "core/text.hpp"

namespace zerosuite::ops {

using core::nearest, core::quote, core::word_or_quoted;

/// A substitute for bytes that must not be shown, such as the identity of a connection, which a peer that
/// knows it could take over. The same for the same bytes for the life of the process.
std::string pseudonym(std::string_view bytes);

/// With ASCII letters in upper case.
std::string upper(std::string_view text);

/// Throws core::Failure InvalidArgument, for a configuration that is not valid.
[[noreturn]] void refuse(const std::string& line);

}  // namespace zerosuite::ops
