// What nobody but the service may read.
#pragma once

#include <string>

namespace zerosuite::id {

/// All of a file. Throws core::Failure InvalidArgument, which names it, when it cannot be read, or when
/// others than its owner may read or write it.
std::string read_private(const std::string& path);

/// The one line that a file holds, as read_private(). InvalidArgument when it is empty.
std::string read_secret(const std::string& path);

}  // namespace zerosuite::id
