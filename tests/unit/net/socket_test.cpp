#include "net/socket.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "support/wait.hpp"

namespace zerosuite::test::socket_test {

using net::Frame;
using net::Received;
using net::Sent;
using net::Socket;

constexpr auto kRouter = zmq::socket_type::router;
constexpr auto kDealer = zmq::socket_type::dealer;
constexpr auto kAnyPort = "tcp://127.0.0.1:*";

std::vector<Frame> message(std::initializer_list<std::string_view> texts) {
  std::vector<Frame> frames;
  for (const auto text : texts) frames.emplace_back(text.data(), text.size());
  return frames;
}

Sent send(Socket& socket, std::initializer_list<std::string_view> texts) {
  auto frames = message(texts);
  return socket.send(frames);
}

std::vector<std::string> texts(const std::vector<Frame>& frames) {
  std::vector<std::string> all;
  for (const auto& frame : frames) all.push_back(frame.to_string());
  return all;
}

core::Error bind_failure(Socket& socket, const std::string& endpoint) {
  try {
    socket.bind(endpoint);
  } catch (const core::Failure& failure) {
    return failure.error();
  }
  return {};
}

// A router that has heard one message from a dealer.
struct Link {
  net::Reactor reactor;  // lets the dealer in
  net::Context context{reactor};
  Socket router;
  Socket dealer{context, kDealer};
  std::string identity;
  std::vector<Frame> frames;

  explicit Link(const net::SocketOptions& options = {}) : router(context, kRouter, options) {
    dealer.connect(router.bind(kAnyPort));
    REQUIRE(send(dealer, {"", "hello"}) == Sent::kYes);
    REQUIRE(turn_until(reactor, [&] { return router.receive(frames) == Received::kMessage; }));
    REQUIRE(frames.size() == 3);
    identity = frames[0].to_string();
  }
};

TEST_CASE("bind answers the endpoint with the port it got") {
  net::Reactor reactor;
  net::Context context(reactor);
  Socket socket(context, kRouter);
  const auto endpoint = socket.bind(kAnyPort);
  CHECK(endpoint.starts_with("tcp://127.0.0.1:"));
  CHECK_FALSE(endpoint.ends_with("*"));
}

TEST_CASE("this machine can be named, by name and by its address of version 6") {
  for (const std::string endpoint : {"tcp://localhost:*", "tcp://[::1]:*"}) {
    CAPTURE(endpoint);
    net::Reactor reactor;
    net::Context context(reactor);
    Socket router(context, kRouter);
    Socket dealer(context, kDealer);
    dealer.connect(router.bind(endpoint));
    REQUIRE(send(dealer, {"", "hello"}) == Sent::kYes);
    std::vector<Frame> frames;
    CHECK(turn_until(reactor, [&] { return router.receive(frames) == Received::kMessage; }));
  }
}

TEST_CASE("a port already taken is Unavailable, in a line that says which and why") {
  net::Reactor reactor;
  net::Context context(reactor);
  Socket first(context, kRouter);
  Socket second(context, kRouter);
  const auto endpoint = first.bind(kAnyPort);
  const auto error = bind_failure(second, endpoint);
  CHECK(error.name == core::kUnavailable.name);
  CHECK(error.message == "cannot bind " + endpoint + ": Address already in use");
}

TEST_CASE("an endpoint that is none is InvalidArgument") {
  net::Reactor reactor;
  net::Context context(reactor);
  Socket socket(context, kRouter);
  for (const auto* endpoint :
       {"", "nonsense", "tcp://127.0.0.1", "tcp://127.0.0.1:port", "carrier-pigeon://roof"}) {
    CAPTURE(endpoint);
    const auto error = bind_failure(socket, endpoint);
    CHECK(error.name == core::kInvalidArgument.name);
    CHECK(error.message.starts_with(std::string("cannot bind ") + endpoint + ": "));
    CHECK_THROWS_AS(socket.connect(endpoint), core::Failure);
  }
}

TEST_CASE("a message arrives whole, and the frames sent are left empty") {
  Link link;
  CHECK(texts(link.frames) == std::vector<std::string>{link.identity, "", "hello"});

  auto reply = message({link.identity, "", "world"});
  CHECK(link.router.send(reply) == Sent::kYes);
  for (const auto& frame : reply) CHECK(frame.empty());
  REQUIRE(test::receive(link.dealer, link.frames) == Received::kMessage);
  CHECK(texts(link.frames) == std::vector<std::string>{"", "world"});
  CHECK(link.dealer.receive(link.frames) == Received::kNone);
  CHECK(link.frames.empty());
}

TEST_CASE("what is sent to a peer that was never there is Gone and keeps its frames") {
  Link link;
  auto reply = message({"nobody", "", "world"});
  CHECK(link.router.send(reply) == Sent::kGone);
  CHECK(texts(reply) == std::vector<std::string>{"nobody", "", "world"});
}

TEST_CASE("what is sent to a peer that left is Gone, also when its pipe was full") {
  Link link({.high_water = 1});
  const std::string large(1 << 20, 'x');
  auto sent = Sent::kYes;
  for (int i = 0; i < 10000 && sent == Sent::kYes; ++i) sent = send(link.router, {link.identity, "", large});
  REQUIRE(sent == Sent::kFull);

  link.dealer = Socket(link.context, kDealer);
  const auto deadline = core::Clock::now() + kPatience;
  while (sent != Sent::kGone && core::Clock::now() < deadline) {
    REQUIRE(link.router.receive(link.frames) ==
            Received::kNone);  // as any loop does; a send alone does not tell
    sent = send(link.router, {link.identity, "", "x"});
  }
  CHECK(sent == Sent::kGone);
}

TEST_CASE("what a peer does not take in time is Full and keeps its frames") {
  Link link({.high_water = 1});
  const std::string large(1 << 20, 'x');
  auto sent = Sent::kYes;
  std::vector<Frame> frames;
  for (int i = 0; i < 10000 && sent == Sent::kYes; ++i) {
    frames = message({link.identity, "", large});
    sent = link.router.send(frames);
  }
  CHECK(sent == Sent::kFull);
  CHECK(texts(frames) == std::vector<std::string>{link.identity, "", large});
}

TEST_CASE("a dealer that is not connected is Full") {
  net::Reactor reactor;
  net::Context context(reactor);
  Socket socket(context, kDealer);
  CHECK(send(socket, {"", "x"}) == Sent::kFull);
}

TEST_CASE("of a message with too many frames the first are kept and the next message is whole") {
  Link link;
  for (int i = 0; i < 100000; ++i) {
    zmq::message_t frame(std::to_string(i));
    link.dealer.ref().send(frame, zmq::send_flags::sndmore);
  }
  REQUIRE(send(link.dealer, {"last"}) == Sent::kYes);
  REQUIRE(send(link.dealer, {"", "next"}) == Sent::kYes);

  REQUIRE(test::receive(link.router, link.frames) == Received::kTooManyFrames);
  REQUIRE(link.frames.size() == Socket::kMaxFrames);
  CHECK(link.frames[0].to_string() == link.identity);
  CHECK(link.frames[1].to_string() == "0");
  REQUIRE(test::receive(link.router, link.frames) == Received::kMessage);
  CHECK(texts(link.frames) == std::vector<std::string>{link.identity, "", "next"});
}

TEST_CASE("a message of as many frames as are kept is whole, one more is too many") {
  Link link;
  std::vector<Frame> frames(Socket::kMaxFrames - 1);  // the router puts the identity before them
  REQUIRE(link.dealer.send(frames) == Sent::kYes);
  CHECK(test::receive(link.router, link.frames) == Received::kMessage);
  CHECK(link.frames.size() == Socket::kMaxFrames);

  frames.resize(Socket::kMaxFrames);
  REQUIRE(link.dealer.send(frames) == Sent::kYes);
  CHECK(test::receive(link.router, link.frames) == Received::kTooManyFrames);
  CHECK(link.frames.size() == Socket::kMaxFrames);
}

TEST_CASE(
    "a frame at the limit arrives; a peer that sends a longer one is cut off and its frame never seen") {
  Link link({.max_frame_bytes = 100});
  const std::string fits(100, 'x');
  REQUIRE(send(link.dealer, {"", fits}) == Sent::kYes);
  REQUIRE(test::receive(link.router, link.frames) == Received::kMessage);
  CHECK(link.frames.back().to_string() == fits);

  REQUIRE(send(link.dealer, {"", fits + 'x'}) == Sent::kYes);
  // The connection is lost with what was on its way, so the greeting is repeated until one gets through on
  // the next.
  const auto deadline = core::Clock::now() + kPatience;
  auto received = Received::kNone;
  while (received == Received::kNone && core::Clock::now() < deadline) {
    send(link.dealer, {"", "back"});
    link.reactor.turn(0ms);
    received = link.router.receive(link.frames);
  }
  REQUIRE(received == Received::kMessage);
  CHECK(link.frames.back().to_string() == "back");
  CHECK(link.frames.front().to_string() != link.identity);
}

}  // namespace zerosuite::test::socket_test
