// A Redis server of one test's own, which can be frozen, killed and started again.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/temporary_folder.hpp"
#include "support/wait.hpp"

namespace zerosuite::test {

struct RedisServerOptions {
  bool appendonly = false;             ///< Keeps what it was told, over kill() and start().
  std::vector<std::string> more = {};  ///< Further words of its command line: {"--requirepass", "secret"}.
};

class RedisServer {
 public:
  enum class Start { kNow, kLater };

  explicit RedisServer(RedisServerOptions options = {}, Start when = Start::kNow)
      : options_(std::move(options)), port_(free_port()) {
    if (when == Start::kNow) start();
  }
  ~RedisServer() {
    if (process_ > 0) kill();
  }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  std::filesystem::path folder() const { return folder_.path(); }
  int port() const { return port_; }
  std::string endpoint() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string unix_endpoint() const { return "unix:" + socket_path(); }

  /// Starts it, always on the same folder and port, and waits until it can be asked.
  void start() {
    int log[2];
    if (::pipe2(log, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    std::vector<std::string> words = command_line();
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);

    process_ = ::fork();
    if (process_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::dup2(log[1], STDOUT_FILENO);
      ::dup2(log[1], STDERR_FILENO);
      ::execvp(arguments.front(), arguments.data());
      ::_exit(127);
    }
    ::close(log[1]);
    const std::string said = read_until(log[0], "Ready to accept connections");
    ::close(log[0]);
    if (!said.ends_with("Ready to accept connections")) throw std::runtime_error("redis-server: " + said);
  }
  /// As the kernel does when memory is short.
  void kill() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
    process_ = -1;
  }
  /// It stays connected and answers nothing.
  void freeze() { ::kill(process_, SIGSTOP); }
  void thaw() { ::kill(process_, SIGCONT); }

 private:
  std::string socket_path() const { return (folder_.path() / "socket").string(); }

  std::vector<std::string> command_line() const {
    std::vector<std::string> words{"redis-server",
                                   "--port",
                                   std::to_string(port_),
                                   "--bind",
                                   "127.0.0.1",
                                   "--unixsocket",
                                   socket_path(),
                                   "--dir",
                                   folder_.path().string(),
                                   "--repl-diskless-sync-delay",
                                   "0",
                                   "--save",
                                   "",
                                   "--enable-debug-command",
                                   "yes"};
    if (options_.appendonly) words.insert(words.end(), {"--appendonly", "yes", "--appendfsync", "always"});
    words.insert(words.end(), options_.more.begin(), options_.more.end());
    return words;
  }

  static std::string read_until(int fd, std::string_view wanted) {
    std::string text;
    const auto deadline = core::Clock::now() + kPatience;
    while (core::Clock::now() < deadline) {
      pollfd item{fd, POLLIN, 0};
      ::poll(&item, 1, 100);
      if (item.revents == 0) continue;
      char byte = 0;
      if (::read(fd, &byte, 1) != 1) return text;
      text += byte;
      if (text.ends_with(wanted)) return text;
    }
    return text;
  }

  // Free a moment ago: the kernel gives it to nobody else soon.
  static int free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const plain = reinterpret_cast<sockaddr*>(&address);
    if (::bind(fd, plain, size) != 0 || ::getsockname(fd, plain, &size) != 0)
      throw std::runtime_error("no free port");
    ::close(fd);
    return ntohs(address.sin_port);
  }

  const RedisServerOptions options_;
  const TemporaryFolder folder_;
  const int port_;
  pid_t process_ = -1;
};

}  // namespace zerosuite::test
