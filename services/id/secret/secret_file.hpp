// Files that only the service may read.
#pragma once

#include <string>

#include "core/secret.hpp"

namespace zerosuite::id {

/// Throws core::Failure InvalidArgument: a secret, where it stands, and what is wrong with it.
[[noreturn]] void refuse_secret(const std::string& place, const std::string& why);

/// All of a file. Throws core::Failure InvalidArgument, which names it, when it cannot be read, or when
/// others than its owner may read or write it.
core::SecretText read_private(const std::string& path);

/// The one line that a file holds, as read_private(). InvalidArgument when it is empty.
core::SecretText read_secret(const std::string& path);

}  // namespace zerosuite::id
