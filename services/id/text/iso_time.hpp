// A moment as text (ISO 8601, RFC 3339).
#pragma once

#include <cstdint>
#include <string>

namespace zerosuite::id::formats {

/// "2022-06-28T16:07:40.105Z" of ms since 1970.
std::string iso_time(std::int64_t ms);

}  // namespace zerosuite::id::formats
