// What a main() says about its program; everything else about starting and stopping is the same for all of
// them.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace zerosuite::ops {

/// The programs of the suite. Each may have a table of its name in a shared configuration file.
inline constexpr std::array<std::string_view, 4> kPrograms = {"proxy", "math", "lock", "id"};

struct Program {
  /// "math" for zerosuite-math: the service's name, its table in the file and its word in the log.
  std::string_view name;
  std::string_view summary;    ///< One line for --help.
  std::string_view bind;       ///< The default of --bind.
  std::string_view data = {};  ///< The default of --data; empty = it keeps no data.
  bool worker = true;          ///< Serves behind proxies too.
  bool sticky = false;         ///< Asks them to send calls with the same first argument to the same process.
  std::string_view version = ZEROSUITE_VERSION;  ///< As --version and the proxy show it.
  std::string_view executable = {};              ///< For --help and errors; empty = zerosuite-NAME.

  std::string executable_name() const {
    return executable.empty() ? "zerosuite-" + std::string(name) : std::string(executable);
  }
};

}  // namespace zerosuite::ops
