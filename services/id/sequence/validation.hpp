// Checks of the names and numbers of tags and sequences.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "id/stores/store.hpp"

namespace zerosuite::id {

/// The end of all keys: the greatest value is one less.
inline constexpr std::int64_t kEndOfValues = std::numeric_limits<std::int64_t>::max();

/// Throws core::Failure InvalidArgument unless `name` has 1 to 128 bytes. `what` is "tag" or "name".
void check_name(std::string_view what, std::string_view name);

/// Throws core::Failure InvalidArgument for an invalid tag.
void check_tag(const Tag& tag);
/// The same for a change; `delta` and `remainder` are the values after it.
void check_change(const TagChange& change, std::int64_t delta, std::int64_t remainder);

}  // namespace zerosuite::id
