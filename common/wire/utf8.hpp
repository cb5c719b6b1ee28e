// UTF-8 validation. A stock Python client drops a whole event on invalid UTF-8, so only valid text is sent as
// a str.
#pragma once

#include <string_view>

namespace zerosuite::wire {

/// Whether `text` is well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
bool is_utf8(std::string_view text);

}  // namespace zerosuite::wire
