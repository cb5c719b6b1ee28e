// What a main() says about its program; everything else about starting and stopping is the same for all of
// them.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "ops/config/option.hpp"

namespace zerosuite::ops {

/// The programs of the suite. Each may have a table of its name in a shared configuration file.
inline constexpr std::array<std::string_view, 4> kPrograms = {"proxy", "math", "lock", "id"};

class Config;

struct Program {
  /// "math" for zerosuite-math; also its table in the file and its word in the log.
  std::string_view name;
  std::string_view summary;    ///< One line for --help.
  std::string_view bind;       ///< The endpoint it serves on when nothing else is said.
  std::string_view data = {};  ///< Its folder when nothing else is said; empty = it keeps none.
  bool worker = true;          ///< Serves behind proxies too.
  bool sticky = false;         ///< Asks them to send calls with the same first argument to the same process.
  std::span<const Option> options = {};      ///< Its own, beside those of every program.
  std::span<const TableOption> tables = {};  ///< Its own lists of tables, in the file only.
  /// Throws core::Failure for what only it can see to be wrong; also with --check. Null when there is
  /// nothing.
  void (*validate)(const Config& config) = nullptr;
};

}  // namespace zerosuite::ops
