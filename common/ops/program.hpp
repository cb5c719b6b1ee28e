// What a main() says about its program; everything else about starting and stopping is the same for all of
// them.
#pragma once

#include <array>
#include <string_view>

namespace zerosuite::ops {

/// The programs of the suite. Each may have a table of its name in a shared configuration file.
inline constexpr std::array<std::string_view, 4> kPrograms = {"proxy", "math", "lock", "id"};

struct Program {
  /// "math" for zerosuite-math; also its table in the file and its word in the log.
  std::string_view name;
  std::string_view summary;    ///< One line for --help.
  std::string_view bind;       ///< The endpoint it serves on when nothing else is said.
  std::string_view data = {};  ///< Its folder when nothing else is said; empty = it keeps none.
};

}  // namespace zerosuite::ops
