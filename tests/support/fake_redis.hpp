// A Redis client on a server of one test's own words.
#pragma once

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <deque>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "support/redis_rig.hpp"

namespace zerosuite::test {

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
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const plain = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_.fd, plain, size) != 0 || ::getsockname(listener_.fd, plain, &size) != 0 ||
        ::listen(listener_.fd, 16) != 0)
      throw std::runtime_error("no port to listen on");
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

}  // namespace zerosuite::test
