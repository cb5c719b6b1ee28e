// What a test does to its own process.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

namespace zerosuite::test {

/// The text that `function` answers in a child process. Throws std::runtime_error when the child fails.
template <class F>
std::string in_child(F function) {
  std::array<int, 2> pipe{};
  if (::pipe(pipe.data()) != 0) throw std::runtime_error("pipe");
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork");
  if (child == 0) {
    const std::string text = function();
    ::_exit(::write(pipe[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : 1);
  }
  ::close(pipe[1]);
  std::string text;
  std::array<char, 4096> part{};
  for (ssize_t got = 0; (got = ::read(pipe[0], part.data(), part.size())) > 0;)
    text.append(part.data(), static_cast<std::size_t>(got));
  ::close(pipe[0]);
  int status = -1;
  if (::waitpid(child, &status, 0) != child || status != 0) throw std::runtime_error("the child failed");
  return text;
}

/// All memory of this process that a child would find zeroed, by what the kernel says of it.
inline std::string wiped_on_fork() {
  std::ifstream maps("/proc/self/smaps");
  std::string bytes, line;
  std::uintptr_t begin = 0, end = 0;
  while (std::getline(maps, line)) {
    std::istringstream words(line);
    char dash = 0;
    std::uintptr_t from = 0, to = 0;
    if (words >> std::hex >> from >> dash >> to && dash == '-') {
      begin = from;
      end = to;
    }
    if (line.starts_with("VmFlags:") && line.find(" wf") != line.npos)
      bytes.append(reinterpret_cast<const char*>(begin), end - begin);
  }
  return bytes;
}

/// A test that blocks signals leaves the process as it was for the others.
class RestoredSignals {
 public:
  RestoredSignals() { pthread_sigmask(SIG_SETMASK, nullptr, &mask_); }
  ~RestoredSignals() { pthread_sigmask(SIG_SETMASK, &mask_, nullptr); }
  RestoredSignals(const RestoredSignals&) = delete;
  RestoredSignals& operator=(const RestoredSignals&) = delete;

 private:
  sigset_t mask_{};
};

}  // namespace zerosuite::test
