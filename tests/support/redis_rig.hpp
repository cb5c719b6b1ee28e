// A Redis client on a real reactor, asked one thing at a time, and the servers it may meet.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "db/redis.hpp"
#include "net/reactor.hpp"
#include "support/fakes.hpp"
#include "support/temporary_folder.hpp"
#include "support/wait.hpp"

namespace zerosuite::test {

class RedisRig {
 public:
  explicit RedisRig(db::RedisOptions options, net::NamesOptions how_names_are_found = {})
      : names(reactor, std::move(how_names_are_found)),
        redis(std::make_unique<db::Redis>(reactor, names, std::move(options))) {}

  /// False when it is not within kPatience.
  bool connect() {
    return turn_until(reactor, [this] { return redis->connected(); });
  }
  /// Turns until every command was answered; false when that does not happen.
  bool settle() {
    return turn_until(reactor, [this] { return redis->idle(); });
  }
  core::Result<db::RedisReply> ask(const std::vector<std::string>& words) {
    std::optional<core::Result<db::RedisReply>> answer;
    redis->command(words, [&answer](core::Result<db::RedisReply> reply) { answer = std::move(reply); });
    if (!turn_until(reactor, [&answer] { return answer.has_value(); }))
      return core::Error{"NoAnswer", words.front()};
    return *std::move(answer);
  }

  net::Reactor reactor;
  net::Names names;
  std::unique_ptr<db::Redis> redis;
};

/// The free port that the socket is bound to.
inline sockaddr_in bind_to_loopback(int fd) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd, plain, size) != 0 || ::getsockname(fd, plain, &size) != 0)
    throw std::runtime_error("no free port");
  return address;
}

struct RedisServerOptions {
  bool appendonly = false;             ///< Keeps what it was told, over kill() and start().
  std::vector<std::string> more = {};  ///< Further words of its command line: {"--requirepass", "secret"}.
};

/// A server of one test's own, which can be frozen, killed and started again.
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
    const sockaddr_in address = bind_to_loopback(fd);
    ::close(fd);
    return ntohs(address.sin_port);
  }

  const RedisServerOptions options_;
  const TemporaryFolder folder_;
  const int port_;
  pid_t process_ = -1;
};

/// A client that is connected to a server of its own.
struct ConnectedRig {
  ConnectedRig() {
    if (!rig.connect()) throw std::runtime_error("no connection to " + server.endpoint());
  }

  RedisServer server;
  RedisRig rig{{.endpoint = server.endpoint()}};
};

/// A client on a server of one test's own words.
class FakeRedisRig {
 public:
  /// What the server says to a command, as the protocol has it.
  using Says = std::function<std::string(std::string_view command)>;

  explicit FakeRedisRig(Says says, db::RedisOptions options = {})
      : says_(std::move(says)),
        client_(at(std::move(options))),
        knocking_(client_.reactor.watch(listener_.fd, [this] { accept(); })) {}

  net::Reactor& reactor() { return client_.reactor; }
  RedisRig& client() { return client_; }
  db::Redis& redis() { return *client_.redis; }
  /// Connections taken so far.
  std::size_t connections() const { return peers_.size(); }
  /// Says it on the latest connection, unasked.
  void say(std::string_view bytes) { send(peers_.back(), bytes); }
  /// Whether the client is in that trouble now, or is within kPatience.
  bool in_trouble(std::string_view words) {
    return turn_until(reactor(), [&] {
      return redis().trouble() && redis().trouble()->text().find(words) != std::string::npos;
    });
  }

 private:
  struct Descriptor {
    explicit Descriptor(int opened) : fd(opened) {}
    ~Descriptor() { ::close(fd); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    const int fd;
  };
  struct Peer {
    explicit Peer(int accepted) : socket(accepted) {}

    Descriptor socket;
    net::Reactor::Watch heard = {};
  };

  db::RedisOptions at(db::RedisOptions options) {
    const sockaddr_in address = bind_to_loopback(listener_.fd);
    if (::listen(listener_.fd, 16) != 0) throw std::runtime_error("no port to listen on");
    options.endpoint = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    return options;
  }

  void accept() {
    Peer& peer = peers_.emplace_back(::accept4(listener_.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    const int on = 1;  // or an answer in two parts takes 40 ms
    ::setsockopt(peer.socket.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    peer.heard = reactor().watch(peer.socket.fd, [this, &peer] { hear(peer); });
  }
  void hear(Peer& peer) {
    std::array<char, 65536> bytes{};
    const ssize_t size = ::recv(peer.socket.fd, bytes.data(), bytes.size(), 0);
    if (size <= 0) return peer.heard.reset();
    std::string_view heard(bytes.data(), static_cast<std::size_t>(size));
    while (!heard.empty()) {
      const std::size_t length = length_of_command(heard);
      send(peer, says_(heard.substr(0, length)));
      heard.remove_prefix(length);
    }
  }
  // "*2\r\n$4\r\nECHO\r\n$1\r\nx\r\n"
  static std::size_t length_of_command(std::string_view heard) {
    std::size_t end = 0;
    const auto number = [&] {
      const int value = std::stoi(std::string(heard.substr(end + 1, 10)));
      end = heard.find("\r\n", end) + 2;
      return value;
    };
    for (int words = number(); words > 0; --words) end += static_cast<std::size_t>(number()) + 2;
    return end;
  }
  static void send(Peer& peer, std::string_view bytes) {
    (void)::send(peer.socket.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }

  Says says_;
  const Descriptor listener_{::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  RedisRig client_;
  std::deque<Peer> peers_;  // kept when they have gone, to be counted
  net::Reactor::Watch knocking_;
};

/// A server that says what a master does to a new connection, and `reply` to everything else.
inline FakeRedisRig::Says master_that_says(std::string reply) {
  return [reply = std::move(reply)](std::string_view command) -> std::string {
    if (command.find("PING") != command.npos) return "+PONG\r\n";
    if (command.find("ROLE") != command.npos) return "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n";
    return reply;
  };
}

/// Its line of those who wait to be accepted is full, and the kernel drops what comes after them.
class DeafPort {
 public:
  DeafPort() {
    const sockaddr_in address = bind_to_loopback(listener_);
    if (::listen(listener_, 0) != 0) throw std::runtime_error("no port to listen on");
    const auto* const plain = reinterpret_cast<const sockaddr*>(&address);
    for (const int fd : waiting_) (void)::connect(fd, plain, sizeof address);
    number_ = ntohs(address.sin_port);
  }
  ~DeafPort() {
    for (const int fd : waiting_) ::close(fd);
    ::close(listener_);
  }
  DeafPort(const DeafPort&) = delete;
  DeafPort& operator=(const DeafPort&) = delete;

  int number() const { return number_; }

 private:
  static int make_socket() { return ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

  int listener_ = make_socket();
  std::array<int, 4> waiting_{make_socket(), make_socket(), make_socket(), make_socket()};
  int number_ = 0;
};

}  // namespace zerosuite::test
