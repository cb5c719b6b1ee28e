// What names and counts of tags and sequences may be.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "id/stores/store.hpp"

namespace zerosuite::id {

/// The end of all keys: the last value is one less.
inline constexpr std::int64_t kEndOfValues = std::numeric_limits<std::int64_t>::max();

/// Throws core::Failure InvalidArgument unless it has 1 to 128 bytes. `what` is "tag" or "name".
void check_name(std::string_view what, std::string_view name);

/// Throws core::Failure InvalidArgument for what a tag cannot be.
void check_tag(const Tag& tag);
/// The same for what is to change; `delta` and `remainder` are what they will be.
void check_change(const TagChange& change, std::int64_t delta, std::int64_t remainder);

}  // namespace zerosuite::id
