// A port of this machine at which connections are neither taken nor refused.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace zerosuite::test {

/// Its line of those who wait to be accepted is full, and the kernel drops what comes after them.
class DeafPort {
 public:
  DeafPort() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const plain = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, plain, size) != 0 || ::getsockname(listener_, plain, &size) != 0 ||
        ::listen(listener_, 0) != 0)
      throw std::runtime_error("no port to listen on");
    for (const int fd : waiting_) (void)::connect(fd, plain, size);
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
