// The configuration file: TOML, with a table [suite] for all programs and one for each of them.
#pragma once

#include <string>

#include "ops/config/option.hpp"

namespace zerosuite::ops {

/// Sets what the tables [suite] and, overriding it, [PROGRAM] of the file say; the tables of the suite's
/// other programs are passed over. Throws core::Failure InvalidArgument, one line with the file and the line
/// number: when the file cannot be read, a key or table is unknown, or a value is not one that its key may
/// have.
void read_file(const Options& options, const std::string& path, Origins& origins);

}  // namespace zerosuite::ops
