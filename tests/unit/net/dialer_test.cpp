#include "net/dialer.hpp"

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/wait.hpp"

namespace zerosuite::test::dialer_test {

using namespace std::chrono_literals;
using net::Addresses;
using net::Socket;

using List = std::vector<std::string>;

// A socket dialed by name, and what the names mean at the time.
struct Rig {
  std::string bind(Socket& server) {
    const std::string bound = server.bind("tcp://127.0.0.1:*");
    return bound.substr(bound.rfind(':'));
  }
  void dial(const std::string& endpoint) {
    dialer.emplace(
        net::Dialing{context, reactor, names}, socket, endpoint,
        net::DialerEvents{.up = [this] { events += "+"; },
                          .down = [this] { events += "-"; },
                          .not_found = [this](const core::Error& why) { troubles.push_back(why.message); }});
  }
  bool hears(const std::string& wanted) {
    return test::turn_until(reactor, [&] { return events == wanted; });
  }
  net::Sent send(std::string_view text) {
    net::Frame frame(text.data(), text.size());
    return socket.send({&frame, 1});
  }

  net::Reactor reactor;
  net::Context context{reactor};
  Addresses meaning = core::Error{core::kUnavailable, "host: unknown"};
  int lookups = 0;
  net::Names names{reactor, {.ask = [this](const std::string&) {
                     ++lookups;
                     return meaning;  // the loop waits for the answer before it changes anything
                   }}};
  Socket socket{context, zmq::socket_type::dealer};
  std::string events;
  List troubles;
  std::optional<net::Dialer> dialer;
};

TEST_CASE("a numeric address is dialed without a lookup, and a socket given a name says so") {
  Rig rig;
  Socket server(rig.context, zmq::socket_type::router);
  rig.dial("tcp://127.0.0.1" + rig.bind(server));
  CHECK(rig.hears("+"));
  CHECK(rig.lookups == 0);
  CHECK_THROWS_AS(rig.socket.connect("tcp://localhost:4243"), core::Failure);
}

TEST_CASE("a name is looked up before it is dialed, and until somebody is there nothing is taken") {
  Rig rig;
  Socket server(rig.context, zmq::socket_type::router);
  const std::string port = rig.bind(server);
  rig.meaning = List{"127.0.0.1"};
  rig.dial("tcp://host" + port);
  CHECK(rig.send("early") == net::Sent::kFull);
  CHECK(rig.hears("+"));
  CHECK(test::turn_until(rig.reactor, [&] { return rig.send("message") == net::Sent::kYes; }));
  std::vector<net::Frame> frames;
  REQUIRE(test::receive(server, frames) == net::Received::kMessage);
  CHECK(frames.back().to_string() == "message");
}

TEST_CASE("a name that is not found is looked up again, after pauses that grow") {
  Rig rig;
  rig.dial("tcp://host:4243");
  REQUIRE(test::turn_until(rig.reactor, [&] { return rig.troubles.size() == 4; }));
  CHECK(rig.lookups == 4);
  CHECK(rig.troubles.front() == "host: unknown");
  rig.reactor.timers().advance_to(rig.reactor.timers().now() + 700ms);  // 100, 200 and 400 have passed
  CHECK(rig.lookups == 4);
  Socket server(rig.context, zmq::socket_type::router);
  rig.meaning = List{"127.0.0.1"};
}

TEST_CASE("of several addresses the next one is tried when nobody is at one") {
  Rig rig;
  Socket server(rig.context, zmq::socket_type::router);
  const std::string port = rig.bind(server);
  rig.meaning = List{"127.0.0.9", "::1", "127.0.0.1"};
  rig.dial("tcp://host" + port);
  CHECK(rig.hears("+"));
  CHECK(rig.lookups == 1);
}

TEST_CASE("when the connection has ended the name is looked up anew, and may mean another machine") {
  Rig rig;
  std::optional<Socket> server(std::in_place, rig.context, zmq::socket_type::router);
  const std::string port = rig.bind(*server);
  rig.meaning = List{"127.0.0.1"};
  rig.dial("tcp://host" + port);
  REQUIRE(rig.hears("+"));
  server.reset();
  REQUIRE(rig.hears("+-"));
  Socket elsewhere(rig.context, zmq::socket_type::router);
  elsewhere.bind("tcp://127.0.0.2" + port);
  rig.meaning = List{"127.0.0.2"};
  CHECK(rig.hears("+-+"));
  CHECK(test::turn_until(rig.reactor, [&] { return rig.send("message") == net::Sent::kYes; }));
  std::vector<net::Frame> frames;
  CHECK(test::receive(elsewhere, frames) == net::Received::kMessage);
}

}  // namespace zerosuite::test::dialer_test
