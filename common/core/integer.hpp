// One type for every integer MessagePack can carry, −2^63 … 2^64−1, wide enough to detect results beyond that
// range.
#pragma once

#include <cstdint>
#include <limits>

namespace zerosuite::core {

__extension__ using Integer = __int128;  // ISO C++ has no such type; g++ and clang do

/// Whether MessagePack can carry it.
constexpr bool fits_wire(Integer value) {
  return value >= std::numeric_limits<std::int64_t>::min() &&
         value <= std::numeric_limits<std::uint64_t>::max();
}

}  // namespace zerosuite::core
