#include "net/monitor.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "support/wait.hpp"

namespace zerosuite::test::monitor_test {

using net::Connection;
using net::Socket;

constexpr auto kDealer = zmq::socket_type::dealer;
constexpr auto kRouter = zmq::socket_type::router;

// A socket whose connections are watched.
struct Watched {
  explicit Watched(zmq::socket_type type) : socket(context, type) {}

  // The next `count` events, "+" for one that came and "-" for one that went.
  std::string next(std::size_t count) {
    turn_until(reactor, [&] { return events.size() >= count; });
    return std::exchange(events, {});
  }

  net::Reactor reactor;
  net::Context context{reactor};
  Socket socket;
  std::string events;
  net::Monitor monitor{context, reactor, socket,
                       [this](Connection change) { events += change == Connection::kUp ? '+' : '-'; }};
};

TEST_CASE("a bound socket's connections are told as they come and go") {
  Watched router(kRouter);
  const std::string endpoint = router.socket.bind("tcp://127.0.0.1:*");
  auto first = std::make_unique<Socket>(router.context, kDealer);
  first->connect(endpoint);
  CHECK(router.next(1) == "+");
  Socket second(router.context, kDealer);
  second.connect(endpoint);
  CHECK(router.next(1) == "+");
  first.reset();
  CHECK(router.next(1) == "-");
}

TEST_CASE(
    "a connecting socket's connection is told when it is there, when it ends, and when it is there again") {
  Watched dealer(kDealer);
  auto router = std::make_unique<Socket>(dealer.context, kRouter);
  const std::string endpoint = router->bind("tcp://127.0.0.1:*");
  dealer.socket.connect(endpoint);
  CHECK(dealer.next(1) == "+");
  router.reset();
  CHECK(dealer.next(1) == "-");
  Socket again(dealer.context, kRouter);
  REQUIRE(turn_until(dealer.reactor, [&] {
    try {
      again.bind(endpoint);
      return true;
    } catch (const core::Failure&) {
      return false;  // the old socket is not closed yet
    }
  }));
  CHECK(dealer.next(1) == "+");
}

TEST_CASE("a dialing socket that finds nobody tells nothing") {
  Watched dealer(kDealer);
  Socket nobody(dealer.context, kRouter);
  const std::string endpoint = nobody.bind("tcp://127.0.0.1:*");
  zmq::socket_ref socket = nobody.ref();
  socket.unbind(endpoint);
  dealer.socket.connect(endpoint);
  for (int i = 0; i < 5; ++i) dealer.reactor.turn(5ms);
  CHECK(dealer.events.empty());
}

TEST_CASE("many connections that come in one turn are all told") {
  Watched router(kRouter);
  const std::string endpoint = router.socket.bind("tcp://127.0.0.1:*");
  std::vector<std::unique_ptr<Socket>> dealers;
  for (int i = 0; i < 100; ++i) {
    dealers.push_back(std::make_unique<Socket>(router.context, kDealer));
    dealers.back()->connect(endpoint);
  }
  CHECK(router.next(100) == std::string(100, '+'));
  dealers.clear();
  CHECK(router.next(100) == std::string(100, '-'));
}

TEST_CASE("a monitor may go before its socket, which works on unwatched") {
  net::Reactor reactor;
  net::Context context(reactor);
  Socket router(context, kRouter);
  const std::string endpoint = router.bind("tcp://127.0.0.1:*");
  int events = 0;
  {
    const net::Monitor monitor(context, reactor, router, [&](Connection) { ++events; });
  }
  Socket dealer(context, kDealer);
  dealer.connect(endpoint);
  net::Frame hello(std::string_view("hello"));
  REQUIRE(dealer.send({&hello, 1}) == net::Sent::kYes);
  std::vector<net::Frame> frames;
  CHECK(turn_until(reactor, [&] { return router.receive(frames) == net::Received::kMessage; }));
  CHECK(events == 0);
}

}  // namespace zerosuite::test::monitor_test
