// ULID (https://github.com/ulid/spec): 48 bits of milliseconds since 1970 and 80 random bits. Thread-safe.
#pragma once

#include <cstdint>
#include <string>

#include "id/text/number.hpp"

namespace zerosuite::id::formats {

/// 80 bits of `random`, the lowest ones.
Number128 ulid(std::int64_t ms, const Number128& random);

inline std::int64_t ulid_ms(const Number128& ulid) { return static_cast<std::int64_t>(ulid.high >> 16); }

/// 26 digits of Crockford's; texts sort as their ids do.
std::string ulid_text(const Number128& ulid);

}  // namespace zerosuite::id::formats
