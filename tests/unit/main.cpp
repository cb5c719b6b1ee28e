#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include "support/golden.hpp"

namespace zerosuite::test {

std::string source_path(const std::string& relative) { return ZEROSUITE_SOURCE_DIR "/" + relative; }

}  // namespace zerosuite::test
