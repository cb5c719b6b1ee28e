// The configuration file: TOML, with a table [suite] for all programs and one for each program.
#pragma once

#include <string>

#include "ops/config/option_table.hpp"

namespace zerosuite::ops {

/// Sets the options from the file's tables [suite] and, overriding it, [PROGRAM]; the tables of the suite's
/// other programs are ignored. Throws core::Failure InvalidArgument, one line with the file and the line
/// number, when the file cannot be read, a key or table is unknown, or a value is not valid for its key.
void read_file(const OptionTable& options, const std::string& path, Origins& origins);

}  // namespace zerosuite::ops
