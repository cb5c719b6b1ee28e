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
    return turn_until(reactor, [&] { return events == wanted; });
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

TEST_CASE_FIXTURE(Rig, "a numeric address is dialed without a lookup, and a socket given a name says so") {
  Socket server(context, zmq::socket_type::router);
  dial("tcp://127.0.0.1" + bind(server));
  CHECK(hears("+"));
  CHECK(lookups == 0);
  CHECK_THROWS_AS(socket.connect("tcp://localhost:4243"), core::Failure);
}

TEST_CASE_FIXTURE(Rig,
                  "a name is looked up before it is dialed, and until somebody is there nothing is taken") {
  Socket server(context, zmq::socket_type::router);
  const std::string port = bind(server);
  meaning = List{"127.0.0.1"};
  dial("tcp://host" + port);
  CHECK(send("early") == net::Sent::kFull);
  CHECK(hears("+"));
  CHECK(turn_until(reactor, [&] { return send("message") == net::Sent::kYes; }));
  std::vector<net::Frame> frames;
  REQUIRE(receive(server, frames) == net::Received::kMessage);
  CHECK(frames.back().to_string() == "message");
}

TEST_CASE_FIXTURE(Rig, "a name that is not found is looked up again, after pauses that grow") {
  dial("tcp://host:4243");
  REQUIRE(turn_until(reactor, [&] { return troubles.size() == 4; }));
  CHECK(lookups == 4);
  CHECK(troubles.front() == "host: unknown");
  reactor.timers().advance_to(reactor.timers().now() + 700ms);  // 100, 200 and 400 have passed
  CHECK(lookups == 4);
  Socket server(context, zmq::socket_type::router);
  meaning = List{"127.0.0.1"};
}

TEST_CASE_FIXTURE(Rig, "of several addresses the next one is tried when nobody is at one") {
  Socket server(context, zmq::socket_type::router);
  const std::string port = bind(server);
  meaning = List{"127.0.0.9", "::1", "127.0.0.1"};
  dial("tcp://host" + port);
  CHECK(hears("+"));
  CHECK(lookups == 1);
}

TEST_CASE_FIXTURE(Rig,
                  "when the connection has ended the name is looked up anew, and may mean another machine") {
  std::optional<Socket> server(std::in_place, context, zmq::socket_type::router);
  const std::string port = bind(*server);
  meaning = List{"127.0.0.1"};
  dial("tcp://host" + port);
  REQUIRE(hears("+"));
  server.reset();
  REQUIRE(hears("+-"));
  Socket elsewhere(context, zmq::socket_type::router);
  elsewhere.bind("tcp://127.0.0.2" + port);
  meaning = List{"127.0.0.2"};
  CHECK(hears("+-+"));
  CHECK(turn_until(reactor, [&] { return send("message") == net::Sent::kYes; }));
  std::vector<net::Frame> frames;
  CHECK(receive(elsewhere, frames) == net::Received::kMessage);
}

}  // namespace zerosuite::test::dialer_test
