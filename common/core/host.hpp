// Identifies this machine and this process: for logs, and to distinguish files of the same name.
#pragma once

#include <string>

namespace zerosuite::core {

/// As gethostname(2) says, or "localhost" when it does not.
std::string host_name();

/// "HOST, process ID".
std::string process_name();

/// Names the running kernel: another one on another machine, and after a boot. Empty when the kernel does not
/// say (/proc/sys/kernel/random/boot_id).
std::string boot_id();

}  // namespace zerosuite::core
