#include "rpc/transport/router_transport.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "rpc/transport/dealer_transport.hpp"
#include "support/events.hpp"
#include "support/wait.hpp"

namespace zerosuite::test::router_transport_test {

using rpc::Delivery;

// Tests that need a full pipe use inproc, which has no kernel buffers: what fits is what the marks allow.
constexpr auto kInproc = "inproc://router";
constexpr int kHighWater = 4;

// A client that reads only when it is told to.
class Client {
 public:
  Client(net::Context& context, const std::string& endpoint)
      : socket_(context, zmq::socket_type::dealer, {.high_water = kHighWater}) {
    socket_.connect(endpoint);
  }
  void send(const std::string& payload) { REQUIRE(try_to_send(payload) == net::Sent::kYes); }
  net::Sent try_to_send(const std::string& payload) {
    std::vector<net::Frame> frames;
    frames.emplace_back();
    frames.emplace_back(payload.data(), payload.size());
    return socket_.send(frames);
  }
  // The next message's payload; empty when none is there.
  std::string take() {
    std::vector<net::Frame> frames;
    if (socket_.receive(frames) != net::Received::kMessage) return {};
    REQUIRE(frames.size() == 2);
    CHECK(frames[0].size() == 0);
    return frames[1].to_string();
  }

 private:
  net::Socket socket_;
};

// A transport, and what it received.
struct Rig {
  explicit Rig(rpc::RouterOptions options = {}, const std::string& endpoint = kInproc)
      : transport(context, reactor, (options.socket.high_water = kHighWater, options)),
        bound(transport.bind(endpoint)) {
    transport.start(rpc::by_view([this](std::span<const std::string_view> frames) {
      peers.emplace_back();
      REQUIRE(peers.back().push(frames.front()));
      payloads.emplace_back(frames.back());
      heard_at.push_back(reactor.timers().now());
      if (const auto once = std::exchange(meanwhile, {})) once();
    }));
  }
  // Lets the client call once, and answers its way back.
  wire::Envelope meet(Client& client) {
    const std::size_t before = peers.size();
    client.send("hello");
    REQUIRE(turn_until(reactor, [&] { return peers.size() > before; }));
    return peers.back();
  }
  Delivery send(const wire::Envelope& peer, const std::string& payload) {
    wire::Buffer buffer;
    buffer.write(payload.data(), payload.size());
    return transport.send(peer, buffer);
  }
  std::string next(Client& client) {
    std::string payload;
    turn_until(reactor, [&] { return !(payload = client.take()).empty(); });
    return payload;
  }

  net::Reactor reactor;
  net::Context context{reactor};
  std::vector<wire::Envelope> peers;
  std::vector<std::string> payloads;
  std::vector<core::TimePoint> heard_at;
  std::function<void()> meanwhile;  // while a message is worked on
  rpc::RouterTransport transport;
  std::string bound;
};

TEST_CASE("what a client sends arrives with its way back, and what is sent there reaches it") {
  Rig rig({}, "tcp://127.0.0.1:*");
  Client alice(rig.context, rig.bound);
  Client bob(rig.context, rig.bound);
  const wire::Envelope to_alice = rig.meet(alice);
  const wire::Envelope to_bob = rig.meet(bob);
  CHECK(rig.payloads == std::vector<std::string>{"hello", "hello"});
  CHECK(rig.send(to_bob, "for bob") == Delivery::kSent);
  CHECK(rig.send(to_alice, "for alice") == Delivery::kSent);
  CHECK(rig.next(alice) == "for alice");
  CHECK(rig.next(bob) == "for bob");
}

TEST_CASE("a payload of any size arrives whole") {
  Rig rig({}, "tcp://127.0.0.1:*");
  Client client(rig.context, rig.bound);
  const wire::Envelope peer = rig.meet(client);
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{16} << 10, (std::size_t{16} << 10) + 1, std::size_t{5} << 20}) {
    const std::string payload(size, 'x');
    CHECK(rig.send(peer, payload) == Delivery::kSent);
    CHECK((rig.next(client) == payload));
  }
}

TEST_CASE_FIXTURE(Rig, "nobody of that identity counts as gone, and so does no identity at all") {
  wire::Envelope stranger;
  REQUIRE(stranger.push("nobody"));
  CHECK(send(stranger, "x") == Delivery::kGone);
  CHECK(send(wire::Envelope(), "x") == Delivery::kGone);
}

TEST_CASE_FIXTURE(Rig, "a client that has left counts as gone") {
  std::optional<Client> client;
  client.emplace(context, kInproc);
  const wire::Envelope peer = meet(*client);
  client.reset();
  CHECK(turn_until(reactor, [&] { return send(peer, "x") == Delivery::kGone; }));
}

TEST_CASE_FIXTURE(Rig,
                  "a client that does not read holds up nobody, and gets everything in order once it reads") {
  Client slow(context, kInproc);
  Client other(context, kInproc);
  const wire::Envelope to_slow = meet(slow);
  const wire::Envelope to_other = meet(other);
  constexpr int kMessages = 500;
  int held = 0;
  for (int i = 0; i < kMessages; ++i) held += send(to_slow, std::to_string(i)) == Delivery::kHeld ? 1 : 0;
  CHECK(held >= kMessages - 2 * kHighWater);
  CHECK(held < kMessages);

  CHECK(send(to_other, "quick") == Delivery::kSent);
  CHECK(next(other) == "quick");

  int in_order = 0;
  for (int i = 0; i < kMessages; ++i) in_order += next(slow) == std::to_string(i) ? 1 : 0;
  CHECK(in_order == kMessages);
  CHECK(send(to_slow, "again") == Delivery::kSent);
  CHECK(next(slow) == "again");
}

TEST_CASE_FIXTURE(Rig,
                  "nothing overtakes what is held for the same client, even when its pipe has room again") {
  Client slow(context, kInproc);
  const wire::Envelope peer = meet(slow);
  int sent = 0;
  while (send(peer, std::to_string(sent++)) != Delivery::kHeld) continue;
  int taken = 0;
  for (; taken < kHighWater; ++taken) CHECK(next(slow) == std::to_string(taken));
  for (int i = 0; i < 20; ++i) send(peer, std::to_string(sent++));
  for (; taken < sent; ++taken) CHECK(next(slow) == std::to_string(taken));
}

TEST_CASE("a client for which more is held than the limit counts as gone") {
  Rig rig({.socket = {}, .max_held_bytes = 10'000});
  Client slow(rig.context, kInproc);
  const wire::Envelope peer = rig.meet(slow);
  const std::string kilobyte(1000, 'x');
  int held = 0;
  Delivery delivery = Delivery::kSent;
  for (int i = 0; i < 100 && delivery != Delivery::kGone; ++i) {
    delivery = rig.send(peer, kilobyte);
    held += delivery == Delivery::kHeld ? 1 : 0;
  }
  CHECK(delivery == Delivery::kGone);
  CHECK(held == 7);  // each costs some 256 bytes more than it has
}

TEST_CASE("new calls of a client that does not read wait until it has, in their order; all else is heard") {
  Rig rig({.socket = {}, .max_held_bytes = 40'000});
  Client slow(rig.context, kInproc);
  Client other(rig.context, kInproc);
  const wire::Envelope peer = rig.meet(slow);
  rig.meet(other);
  for (int i = 0; i < 2; ++i) CHECK(rig.send(peer, std::string(9'000, 'x')) == Delivery::kSent);
  rig.payloads.clear();

  const std::string first = encode({.name = "first"}), second = encode({.name = "second"});
  const std::string beat = encode({.response_to = bin_id("x"), .name = "_zpc_hb"});
  for (const std::string& payload : {first, second, beat}) slow.send(payload);
  other.send(first);
  CHECK(turn_until(rig.reactor, [&] { return rig.payloads.size() == 2; }));
  CHECK(std::count(rig.payloads.begin(), rig.payloads.end(), beat) == 1);
  CHECK(std::count(rig.payloads.begin(), rig.payloads.end(), first) == 1);
  for (int i = 0; i < 20; ++i) rig.reactor.turn(1ms);
  CHECK(rig.payloads.size() == 2);

  rig.next(slow);
  rig.next(slow);
  CHECK(turn_until(rig.reactor, [&] { return rig.payloads.size() == 4; }));
  CHECK(rig.payloads.at(2) == first);
  CHECK(rig.payloads.at(3) == second);
}

TEST_CASE("a client that does not read and goes on calling is given up, and not heard any more") {
  Rig rig({.socket = {}, .max_held_bytes = 40'000});
  std::string cut;
  rig.transport.send_queue().on_given_up([&](std::string_view identity) { cut = identity; });
  Client slow(rig.context, kInproc);
  const wire::Envelope peer = rig.meet(slow);
  for (int i = 0; i < 2; ++i) rig.send(peer, std::string(9'000, 'x'));
  rig.payloads.clear();
  const std::string call = encode({.name = "again"});
  for (int i = 0; i < 200 && cut.empty(); ++i) {
    slow.try_to_send(call);
    rig.reactor.turn(1ms);
  }
  CHECK(cut == peer.outermost());
  for (int i = 0; i < 20; ++i) rig.reactor.turn(1ms);
  CHECK(rig.payloads.empty());
}

TEST_CASE_FIXTURE(
    Rig, "a turn ends after some milliseconds, however many messages wait, so that timers have theirs") {
  Client client(context, kInproc);
  meet(client);
  for (int i = 0; i < kHighWater; ++i) client.send("heavy");
  std::size_t heavy = 0;
  meanwhile = [&] {
    const auto end = core::Clock::now() + 25ms;
    while (core::Clock::now() < end) continue;
    heavy = payloads.size();
  };
  reactor.turn(100ms);
  CHECK(heavy == 2);
  CHECK(payloads.size() == 2);
}

TEST_CASE_FIXTURE(
    Rig, "what is held for a client that leaves is let go of, and the loop has nothing left to retry") {
  std::optional<Client> slow;
  slow.emplace(context, kInproc);
  const wire::Envelope peer = meet(*slow);
  while (send(peer, "x") != Delivery::kHeld) continue;
  CHECK(reactor.timers().next().has_value());
  slow.reset();
  CHECK(turn_until(reactor, [&] { return !reactor.timers().next(); }));
  CHECK(send(peer, "x") == Delivery::kGone);
}

TEST_CASE("a dealer's messages reach the other side behind an empty frame, and its answers come back") {
  Rig rig({}, "tcp://127.0.0.1:*");
  rpc::DealerTransport dealer(rig.context, rig.reactor);
  net::Names names(rig.reactor);
  dealer.dial({rig.context, rig.reactor, names}, rig.bound);
  std::vector<std::string> answers;
  dealer.start(rpc::by_view([&](std::span<const std::string_view> frames) {
    CHECK(frames.size() == 2);
    CHECK(frames.front().empty());
    answers.emplace_back(frames.back());
  }));
  wire::Buffer payload;
  payload.write("call", 4);
  REQUIRE(turn_until(rig.reactor, [&] { return dealer.send({}, payload) == Delivery::kSent; }));
  REQUIRE(turn_until(rig.reactor, [&] { return !rig.payloads.empty(); }));
  CHECK(rig.payloads == std::vector<std::string>{"call"});
  rig.send(rig.peers.at(0), "answer");
  CHECK(turn_until(rig.reactor, [&] { return !answers.empty(); }));
  CHECK(answers == std::vector<std::string>{"answer"});
}

TEST_CASE_FIXTURE(
    Rig, "a message is never heard at a time before it was sent, however long the one before it took") {
  Client client(context, kInproc);
  meet(client);
  core::TimePoint sent;
  meanwhile = [&] {
    sent = core::Clock::now();
    client.send("second");
  };
  client.send("first");
  REQUIRE(turn_until(reactor, [&] { return payloads.size() == 3; }));
  CHECK(payloads.back() == "second");
  CHECK(heard_at.back() >= sent);
}

}  // namespace zerosuite::test::router_transport_test
