#include "rpc/outbox.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "support/wait.hpp"

namespace outbox_test {

using namespace std::chrono_literals;
using namespace zerosuite;
using net::Sent;
using rpc::Delivery;

namespace {

constexpr int kHighWater = 4;
constexpr std::size_t kMessage = 100;  // bytes of a payload

// inproc has no kernel buffers: what fits is what the marks allow.
net::SocketOptions narrow() { return {.high_water = kHighWater}; }

// A ROUTER and one DEALER that reads when it is told to.
struct Rig {
  explicit Rig(std::size_t max_bytes = 10'000) : outbox(reactor.timers(), router, max_bytes) {
    router.bind("inproc://outbox");
    slow = dial("slow");
  }
  std::unique_ptr<net::Socket> dial(const std::string& name) {
    auto dealer = std::make_unique<net::Socket>(context, zmq::socket_type::dealer, narrow());
    zmq::socket_ref socket = dealer->ref();
    socket.set(zmq::sockopt::routing_id, name);
    dealer->connect("inproc://outbox");
    net::Frame hello(std::string_view("hello"));
    REQUIRE(dealer->send({&hello, 1}) == Sent::kYes);
    std::vector<net::Frame> frames;
    REQUIRE(test::receive(router, frames) == net::Received::kMessage);
    return dealer;
  }
  static std::vector<net::Frame> message(const std::string& peer, int number) {
    std::string payload = std::to_string(number);
    payload.resize(kMessage - peer.size(), ' ');
    std::vector<net::Frame> frames;
    frames.emplace_back(peer.data(), peer.size());
    frames.emplace_back(payload.data(), payload.size());
    return frames;
  }
  Delivery forward(const std::string& peer, int number) {
    auto frames = message(peer, number);
    return outbox.forward(frames);
  }
  Sent attempt(const std::string& peer, int number) {
    auto frames = message(peer, number);
    const Sent sent = outbox.attempt(frames);
    CHECK((sent == Sent::kYes) == (frames.back().size() == 0));
    return sent;
  }
  // Fills the pipe to `slow` until one message is held; answers how many were forwarded.
  int fill() {
    int number = 0;
    while (forward("slow", number++) != Delivery::kHeld) continue;
    return number;
  }
  // The numbers of the next messages, turning the loop meanwhile.
  int next(net::Socket& dealer) {
    std::vector<net::Frame> frames;
    REQUIRE(test::turn_until(reactor, [&] { return dealer.receive(frames) == net::Received::kMessage; }));
    return std::stoi(frames.back().to_string());
  }

  net::Reactor reactor;
  net::Context context{reactor};
  net::Socket router{context, zmq::socket_type::router, narrow()};
  rpc::Outbox outbox;
  std::unique_ptr<net::Socket> slow;
};

}  // namespace

TEST_CASE("what a connection takes is sent, and nothing is held") {
  Rig rig;
  CHECK(rig.forward("slow", 1) == Delivery::kSent);
  CHECK(rig.attempt("slow", 2) == Sent::kYes);
  CHECK_FALSE(rig.outbox.holding());
  CHECK_FALSE(rig.reactor.timers().next());
  CHECK(rig.next(*rig.slow) == 1);
  CHECK(rig.next(*rig.slow) == 2);
}

TEST_CASE("what a connection does not take is held, and arrives in order once it reads") {
  Rig rig;
  int sent = rig.fill();
  for (int i = 0; i < 50; ++i) CHECK(rig.forward("slow", sent++) == Delivery::kHeld);
  CHECK(rig.outbox.holding());
  for (int i = 0; i < sent; ++i) CHECK(rig.next(*rig.slow) == i);
  CHECK(test::turn_until(rig.reactor, [&] { return !rig.outbox.holding(); }));
  CHECK_FALSE(rig.reactor.timers().next());
  CHECK(rig.outbox.overflows() == 0);
}

TEST_CASE("an attempt leaves what is not taken as it was, and overtakes nothing that is held") {
  Rig rig;
  int sent = 0;
  while (rig.attempt("slow", sent) == Sent::kYes) ++sent;
  CHECK_FALSE(rig.outbox.holding());
  CHECK(rig.forward("slow", sent++) == Delivery::kHeld);
  for (int i = 0; i + 1 < sent; ++i) {  // the pipe is empty now, but the last is still held
    std::vector<net::Frame> frames;
    REQUIRE(test::receive(*rig.slow, frames) == net::Received::kMessage);
  }
  std::vector<net::Frame> none;
  CHECK(rig.router.receive(none) == net::Received::kNone);  // libzmq learns of the room as it looks around
  CHECK(rig.attempt("slow", 999) == Sent::kFull);
  CHECK(rig.next(*rig.slow) == sent - 1);
  CHECK(test::turn_until(rig.reactor, [&] { return rig.attempt("slow", 1000) == Sent::kYes; }));
  CHECK(rig.next(*rig.slow) == 1000);
}

TEST_CASE("a connection that does not read holds up no other") {
  Rig rig;
  const auto quick = rig.dial("quick");
  rig.fill();
  CHECK(rig.forward("quick", 5) == Delivery::kSent);
  CHECK(rig.attempt("quick", 6) == Sent::kYes);
  CHECK(rig.next(*quick) == 5);
  CHECK(rig.next(*quick) == 6);
}

TEST_CASE("a connection that is not there is gone") {
  Rig rig;
  CHECK(rig.forward("nobody", 1) == Delivery::kGone);
  CHECK(rig.attempt("nobody", 1) == Sent::kGone);
  CHECK_FALSE(rig.outbox.holding());
}

TEST_CASE("a connection for which too much would be kept is gone, with all that was kept for it alone") {
  Rig rig(10 * kMessage);
  const auto other = rig.dial("other");
  int number = rig.fill();
  int of_other = 0;
  while (rig.forward("other", of_other++) != Delivery::kHeld) continue;
  for (int i = 0; i < 9; ++i) CHECK(rig.forward("slow", number++) == Delivery::kHeld);
  CHECK(rig.forward("slow", number) == Delivery::kGone);
  CHECK(rig.outbox.overflows() == 1);
  CHECK(rig.outbox.holding());
  for (int i = 0; i < of_other; ++i) CHECK(rig.next(*other) == i);
}

TEST_CASE("a limit is for what is kept at a time, not for what was ever kept") {
  Rig rig(20 * kMessage);
  int sent = rig.fill();
  for (int i = 0; i < 10; ++i) REQUIRE(rig.forward("slow", sent++) == Delivery::kHeld);
  for (int taken = 0; taken < 200; ++taken) {
    CHECK(rig.next(*rig.slow) == taken);
    REQUIRE(rig.outbox.holding());
    REQUIRE(rig.forward("slow", sent++) == Delivery::kHeld);
  }
}

TEST_CASE("what is held for a connection that ends is let go of") {
  Rig rig;
  // libzmq ends a full pipe when the socket is polled, as a server's always is.
  const auto watch = rig.reactor.watch(rig.router.ref(), [] {});
  rig.fill();
  rig.slow.reset();
  CHECK(test::turn_until(rig.reactor, [&] { return !rig.outbox.holding(); }));
  CHECK(rig.forward("slow", 1) == Delivery::kGone);
}

TEST_CASE("a socket with one peer keeps for that peer what comes before it is connected") {
  net::Reactor reactor;
  net::Context context(reactor);
  net::Socket dealer(context, zmq::socket_type::dealer, narrow());
  rpc::Outbox outbox(reactor.timers(), dealer, 10'000);
  for (int i = 0; i < 20; ++i) {
    auto frames = Rig::message("", i);
    CHECK(outbox.forward(frames) == Delivery::kHeld);
  }
  net::Socket peer(context, zmq::socket_type::dealer, narrow());
  dealer.connect(peer.bind("tcp://127.0.0.1:*"));
  for (int i = 0; i < 20; ++i) {
    std::vector<net::Frame> frames;
    REQUIRE(test::turn_until(reactor, [&] { return peer.receive(frames) == net::Received::kMessage; }));
    CHECK(std::stoi(frames.back().to_string()) == i);
  }
}

}  // namespace outbox_test
