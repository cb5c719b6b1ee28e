#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "net/reactor.hpp"

namespace zerosuite::test::reactor_write_test {

using namespace std::chrono_literals;
using net::Reactor;

TEST_CASE("a descriptor is reported as writable while there is room, and not when it can only be read") {
  Reactor reactor;
  int ends[2];
  REQUIRE(::pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0);
  int readable = 0;
  int writable = 0;
  const auto reading = reactor.watch(ends[0], [&] { ++readable; });
  const auto writing = reactor.watch_writable(ends[1], [&] { ++writable; });
  reactor.turn(0ms);
  reactor.turn(0ms);
  CHECK(writable == 2);
  CHECK(readable == 0);

  const std::string page(4096, 'x');
  while (::write(ends[1], page.data(), page.size()) > 0) continue;
  reactor.turn(0ms);
  CHECK(writable == 2);
  CHECK(readable == 1);
  ::close(ends[0]);  // nobody will read it: that is reported too
  reactor.turn(0ms);
  CHECK(writable == 3);
  ::close(ends[1]);
}

TEST_CASE("one descriptor may be watched both ways") {
  Reactor reactor;
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  std::string order;
  const auto reading = reactor.watch(ends[0], [&] { order += "r"; });
  auto writing = reactor.watch_writable(ends[0], [&] { order += "w"; });
  REQUIRE(::write(ends[1], "x", 1) == 1);
  reactor.turn(0ms);
  CHECK(order == "rw");
  writing.reset();
  reactor.turn(0ms);
  CHECK(order == "rwr");
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace zerosuite::test::reactor_write_test
