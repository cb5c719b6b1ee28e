#include "net/arrivals.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace zerosuite::net::arrivals_test {

const std::string kGreeting(64, '\xff');
const std::string kReady("\x04\x06\x05READY", 8);

std::string long_frame(char flags, std::size_t size) {
  std::string frame(9, '\0');
  frame[0] = static_cast<char>(flags | 2);
  for (std::size_t i = 0; i < 8; ++i) frame[8 - i] = static_cast<char>(size >> 8 * i & 0xff);
  return frame + std::string(size, 'x');
}

TEST_CASE("the scale weighs each frame and its bytes, and neither greeting nor commands, however they come") {
  const std::string command = "\x06" + long_frame(0, 300).substr(1);
  const std::string stream = kGreeting + kReady +
                             std::string(
                                 "\x01\x00\x00\x03"
                                 "abc",
                                 7) +
                             command + long_frame(1, 70'000) + long_frame(0, 0) + std::string("\x01\x00", 2);
  const std::uint64_t weight = 5 * kFrameCost + 3 + 70'000;
  CHECK(StreamScale().add(stream) == weight);
  for (const std::size_t piece : {1, 2, 3, 7, 64, 8192}) {
    StreamScale scale;
    std::uint64_t sum = 0;
    for (std::size_t at = 0; at < stream.size(); at += piece)
      sum += scale.add(std::string_view(stream).substr(at, piece));
    CHECK(sum == weight);
  }
}

TEST_CASE("subscriptions are weighed, since libzmq queues them for any socket, and no other command is") {
  const auto command = [](const std::string& name) {
    const std::string body = static_cast<char>(name.size()) + name + "0123456789";
    return std::string("\x04") + static_cast<char>(body.size()) + body;
  };
  StreamScale scale;
  CHECK(scale.add(kGreeting + kReady) == 0);
  CHECK(scale.add(command("SUBSCRIBE")) == kFrameCost + 20);
  CHECK(scale.add(command("PING")) == 0);
  CHECK(scale.add(command("CANCEL")) == kFrameCost + 17);
  CHECK(scale.add(std::string("\x04\x00\x00\x01x", 5)) == kFrameCost + 1);
}

TEST_CASE("a frame of which only the length has come weighs no more than that") {
  StreamScale scale;
  CHECK(scale.add(kGreeting + std::string("\x02\x00\x00\x00\x00\x02\x00\x00\x00", 9)) == kFrameCost);
  CHECK(scale.add("half") == 4);
}

TEST_CASE("whoever comes when descriptors are nearly out is sent away at once") {
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address.sun_family) ==
          0);  // any name
  socklen_t size = sizeof address;
  REQUIRE(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  REQUIRE(::listen(listener, 8) == 0);
  const auto come = [&] {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::connect(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0);
    return fd;
  };
  const int first = come();
  const int second = come();
  const int taken = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  REQUIRE(taken > second);

  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit low = before;
  SUBCASE("with some left") { low.rlim_cur = static_cast<rlim_t>(taken) + 2; }
  SUBCASE("with none left") { low.rlim_cur = static_cast<rlim_t>(taken) + 1; }
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  const int refused = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  const int error = errno;
  ::setrlimit(RLIMIT_NOFILE, &before);
  CHECK(refused == -1);
  CHECK(error == ENFILE);

  CHECK(weight_read(taken) == 0);
  REQUIRE(::send(first, kGreeting.data(), kGreeting.size(), MSG_NOSIGNAL) == 64);
  REQUIRE(::send(first, "\x00\x01x", 3, MSG_NOSIGNAL) == 3);
  char bytes[100];
  CHECK(::recv(taken, bytes, sizeof bytes, MSG_PEEK) == 67);
  CHECK(weight_read(taken) == 0);
  const std::uint64_t all = weight_read();
  CHECK(::recv(taken, bytes, sizeof bytes, 0) == 67);
  CHECK(weight_read(taken) == kFrameCost + 1);
  CHECK(weight_read() >= all + kFrameCost + 1);
  for (const int fd : {listener, first, second, taken}) ::close(fd);
}

}  // namespace zerosuite::net::arrivals_test
