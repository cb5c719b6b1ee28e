#include "net/traffic.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/dialer.hpp"
#include "support/wait.hpp"

namespace zerosuite::test::traffic_test {

using net::Traffic;

constexpr core::TimePoint kNever{};

// Two sockets of libzmq's with a connection between them.
struct Rig {
  Rig() {
    const std::string endpoint = router.bind("tcp://127.0.0.1:*");
    dialer.emplace(net::Dialing{context, reactor, names}, dealer, endpoint,
                   net::DialerEvents{.up = [this] { up = true; }});
    turn_until(reactor, [&] { return up; });
  }

  net::Reactor reactor;
  net::Context context{reactor};
  net::Names names{reactor};
  net::Socket router{context, zmq::socket_type::router};
  net::Socket dealer{context, zmq::socket_type::dealer};
  bool up = false;
  std::optional<net::Dialer> dialer;
};

TEST_CASE("what comes over a connection is seen in the kernel, and when it came last") {
  Rig rig;
  Traffic traffic(rig.dialer->descriptor());
  const auto before = traffic.count();
  REQUIRE(before);
  CHECK(before->received > 0);  // the greeting
  CHECK(before->taken > 0);
  const core::TimePoint start = core::Clock::now();
  CHECK(traffic.heard(start) != kNever);
  CHECK(traffic.heard(start + 1s) <= start);  // nothing since

  net::Frame hello("hello", 5);
  REQUIRE(rig.dealer.send({&hello, 1}) == net::Sent::kYes);
  std::vector<net::Frame> frames;
  REQUIRE(receive(rig.router, frames) == net::Received::kMessage);
  REQUIRE(rig.router.send(frames) == net::Sent::kYes);
  REQUIRE(receive(rig.dealer, frames) == net::Received::kMessage);
  CHECK(traffic.count()->received > before->received);
  CHECK(traffic.heard(start + 2s) >= start + 1s);
}

TEST_CASE("a descriptor that has become another connection's, or is none of TCP, tells nothing") {
  CHECK_FALSE(Traffic().count());
  CHECK_FALSE(Traffic(-1).count());
  int pair[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  CHECK_FALSE(Traffic(pair[0]).count());
  ::close(pair[0]);
  ::close(pair[1]);

  Rig rig;
  Traffic traffic(rig.dialer->descriptor());
  REQUIRE(traffic.count());
  const int copy = ::dup(rig.dialer->descriptor());
  const int other = ::socket(AF_INET, SOCK_STREAM, 0);
  REQUIRE(::dup2(other, copy) == copy);
  Traffic replaced(copy);
  CHECK(replaced.count());
  REQUIRE(::dup2(rig.dialer->descriptor(), copy) == copy);
  CHECK_FALSE(replaced.count());
  CHECK(replaced.heard(core::Clock::now()) == kNever);
  ::close(copy);
  ::close(other);
}

}  // namespace zerosuite::test::traffic_test
