// What a main() specifies about its program; everything else about starting and stopping is the same for all
// programs.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace zerosuite::ops {

/// The programs of the suite. Each may have a table of that name in a shared configuration file.
inline constexpr std::array<std::string_view, 4> kPrograms = {"proxy", "math", "lock", "id"};

struct Program {
  /// "math" for zerosuite-math: the name of the service, of its table in the file, and of the program in the
  /// log.
  std::string_view name;
  std::string_view summary;    ///< One line for --help.
  std::string_view bind;       ///< The default of --bind.
  std::string_view data = {};  ///< The default of --data; empty = it keeps no data.
  bool worker = true;          ///< It also serves behind proxies.
  bool sticky = false;  ///< Proxies are to send calls with the same first argument to the same process.
  std::string_view version = ZEROSUITE_VERSION;  ///< As shown by --version and the proxy.
  std::string_view executable = {};              ///< For --help and errors; empty = zerosuite-NAME.

  std::string executable_name() const {
    return executable.empty() ? "zerosuite-" + std::string(name) : std::string(executable);
  }
};

}  // namespace zerosuite::ops
