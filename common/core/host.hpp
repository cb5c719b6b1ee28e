// Identifies this machine and this process: for logs, and to distinguish files of the same name.
#pragma once

#include <string>

namespace zerosuite::core {

/// The name from gethostname(2), or "localhost" when that fails.
std::string host_name();

/// "HOST, process ID".
std::string process_name();

/// Identifies this boot of this machine (/proc/sys/kernel/random/boot_id). Empty when the kernel does not
/// provide it.
std::string boot_id();

}  // namespace zerosuite::core
