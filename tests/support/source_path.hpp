#pragma once

#include <string>

namespace zerosuite::test {

/// The path of a file of this repository, given relative to its root. Defined in unit/main.cpp, the one
/// object that knows where the repository is: all others compile to the same bytes in every clone, which a
/// compiler cache can use.
std::string source_path(const std::string& relative);

}  // namespace zerosuite::test
