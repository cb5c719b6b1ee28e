// Files that only their owner may read.
#pragma once

#include <string>

#include "core/secret.hpp"

namespace zerosuite::id {

/// Throws core::Failure InvalidArgument with the place of a secret and what is wrong with it.
[[noreturn]] void refuse_secret(const std::string& place, const std::string& why);

/// Returns the contents of a file. Throws core::Failure InvalidArgument with its name if it cannot be read,
/// or if users other than its owner may read or write it.
core::SecretText read_private(const std::string& path);

/// Returns the contents of a file without white space at the end; throws as read_private(), and
/// InvalidArgument if nothing is left.
core::SecretText read_secret(const std::string& path);

}  // namespace zerosuite::id
