// Identifies this machine and this process: for logs, and to distinguish files of the same name.
#pragma once

#include <unistd.h>

#include <array>
#include <fstream>
#include <string>

namespace zerosuite::core {

/// The name from gethostname(2), or "localhost" when that fails.
inline std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name.front() == '\0') return "localhost";
  return name.data();
}

/// "HOST, process ID".
inline std::string process_name() { return host_name() + ", process " + std::to_string(::getpid()); }

/// Identifies this boot of this machine (/proc/sys/kernel/random/boot_id). Empty when the kernel does not
/// provide it.
inline std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

}  // namespace zerosuite::core
