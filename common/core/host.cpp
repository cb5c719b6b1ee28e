#include "core/host.hpp"

#include <unistd.h>

#include <array>
#include <fstream>

namespace zerosuite::core {

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name.front() == '\0') return "localhost";
  return name.data();
}

std::string process_name() { return host_name() + ", process " + std::to_string(::getpid()); }

std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

}  // namespace zerosuite::core
