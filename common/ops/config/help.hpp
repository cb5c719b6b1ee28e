// The text behind --help, made from the option table.
#pragma once

#include <span>
#include <string>

#include "ops/config/program.hpp"

namespace zerosuite::ops {

/// Every flag and key with its default, unit and environment variables, ready to print.
std::string help(const Program& program, std::span<const Option> options);

}  // namespace zerosuite::ops
