#include "rpc/transport/send_queue.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "support/wait.hpp"

namespace zerosuite::test::outbox_test {

using net::Sent;
using rpc::Delivery;
using Standing = rpc::SendQueue::Standing;

constexpr int kHighWater = 4;
constexpr std::size_t kMessage = 100;      // bytes of a message
constexpr std::size_t kHeldMessage = 356;  // and what one costs that is held

// inproc has no kernel buffers: what fits is what the marks allow.
net::SocketOptions narrow() { return {.high_water = kHighWater}; }

// Each message above a KiB is watched, and each KiB of smaller ones.
rpc::SendQueueLimits exact(rpc::SendQueueLimits limits) {
  limits.watched = 1'024;
  return limits;
}

// Nothing small is: only what is held counts.
rpc::SendQueueLimits held_only(rpc::SendQueueLimits limits) {
  limits.watched = std::numeric_limits<std::size_t>::max();
  return limits;
}

// A ROUTER and one DEALER that reads when it is told to.
struct Rig {
  explicit Rig(const rpc::SendQueueLimits& limits = 50'000) : queue(reactor.timers(), router, limits) {
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
  static std::vector<net::Frame> message(const std::string& peer, int number, std::size_t size = kMessage) {
    std::string payload = std::to_string(number);
    payload.resize(size - peer.size(), ' ');
    std::vector<net::Frame> frames;
    frames.emplace_back(peer.data(), peer.size());
    frames.emplace_back(payload.data(), payload.size());
    return frames;
  }
  Delivery forward(const std::string& peer, int number, std::size_t size = kMessage) {
    auto frames = message(peer, number, size);
    return queue.forward(frames);
  }
  rpc::SendQueue::Standing standing(const std::string& peer) {
    return queue.standing(net::Frame(peer.data(), peer.size()));
  }
  Sent attempt(const std::string& peer, int number) {
    auto frames = message(peer, number);
    const Sent sent = queue.attempt(frames);
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
    REQUIRE(turn_until(reactor, [&] { return dealer.receive(frames) == net::Received::kMessage; }));
    return std::stoi(frames.back().to_string());
  }

  net::Reactor reactor;
  net::Context context{reactor};
  net::Socket router{context, zmq::socket_type::router, narrow()};
  rpc::SendQueue queue;
  std::unique_ptr<net::Socket> slow;
};

TEST_CASE("what a connection takes is sent, and nothing is held") {
  Rig rig;
  CHECK(rig.forward("slow", 1) == Delivery::kSent);
  CHECK(rig.attempt("slow", 2) == Sent::kYes);
  CHECK_FALSE(rig.queue.holding());
  CHECK_FALSE(rig.reactor.timers().next());
  CHECK(rig.next(*rig.slow) == 1);
  CHECK(rig.next(*rig.slow) == 2);
}

TEST_CASE("what a connection does not take is held, and arrives in order once it reads") {
  Rig rig;
  int sent = rig.fill();
  for (int i = 0; i < 50; ++i) CHECK(rig.forward("slow", sent++) == Delivery::kHeld);
  CHECK(rig.queue.holding());
  for (int i = 0; i < sent; ++i) CHECK(rig.next(*rig.slow) == i);
  CHECK(turn_until(rig.reactor, [&] { return !rig.queue.holding(); }));
  CHECK_FALSE(rig.reactor.timers().next());
  CHECK(rig.standing("slow") != Standing::kGivenUp);
}

TEST_CASE("an attempt leaves what is not taken as it was, and overtakes nothing that is held") {
  Rig rig;
  int sent = 0;
  while (rig.attempt("slow", sent) == Sent::kYes) ++sent;
  CHECK_FALSE(rig.queue.holding());
  CHECK(rig.forward("slow", sent++) == Delivery::kHeld);
  for (int i = 0; i + 1 < sent; ++i) {  // the pipe is empty now, but the last is still held
    std::vector<net::Frame> frames;
    REQUIRE(test::receive(*rig.slow, frames) == net::Received::kMessage);
  }
  std::vector<net::Frame> none;
  CHECK(rig.router.receive(none) == net::Received::kNone);  // libzmq learns of the room as it looks around
  CHECK(rig.attempt("slow", 999) == Sent::kFull);
  CHECK(rig.next(*rig.slow) == sent - 1);
  CHECK(turn_until(rig.reactor, [&] { return rig.attempt("slow", 1000) == Sent::kYes; }));
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
  CHECK_FALSE(rig.queue.holding());
}

TEST_CASE("a connection for which too much would be kept is gone, with all that was kept for it alone") {
  Rig rig(held_only(10 * kHeldMessage));
  const auto other = rig.dial("other");
  int number = rig.fill();
  int of_other = 0;
  while (rig.forward("other", of_other++) != Delivery::kHeld) continue;
  for (int i = 0; i < 9; ++i) CHECK(rig.forward("slow", number++) == Delivery::kHeld);
  CHECK(rig.forward("slow", number) == Delivery::kGone);
  CHECK(rig.standing("slow") == Standing::kGivenUp);
  CHECK(rig.standing("other") != Standing::kGivenUp);
  CHECK(rig.queue.holding());
  for (int i = 0; i < of_other; ++i) CHECK(rig.next(*other) == i);
}

TEST_CASE("a limit is for what is kept at a time, not for what was ever kept") {
  Rig rig(held_only(20 * kHeldMessage));
  int sent = rig.fill();
  for (int i = 0; i < 10; ++i) REQUIRE(rig.forward("slow", sent++) == Delivery::kHeld);
  for (int taken = 0; taken < 200; ++taken) {
    CHECK(rig.next(*rig.slow) == taken);
    REQUIRE(rig.queue.holding());
    REQUIRE(rig.forward("slow", sent++) == Delivery::kHeld);
  }
}

TEST_CASE("what libzmq keeps of large messages is counted, and forgotten as it is read") {
  Rig rig(exact(40'000));  // the mark is a quarter
  CHECK(rig.standing("slow") == Standing::kReads);
  CHECK(rig.forward("slow", 0, 9'000) == Delivery::kSent);
  CHECK(rig.standing("slow") == Standing::kReads);
  CHECK(rig.forward("slow", 1, 9'000) == Delivery::kSent);
  CHECK(rig.standing("slow") == Standing::kSlow);
  CHECK(rig.forward("slow", 2, 9'000) == Delivery::kHeld);  // sent, but its sender had better pause
  CHECK_FALSE(rig.queue.holding());
  CHECK(rig.attempt("slow", 9) == Sent::kFull);
  CHECK(rig.standing("nobody else") == Standing::kReads);
  CHECK_FALSE(rig.queue.quiet());
  for (int i = 0; i < 3; ++i) CHECK(rig.next(*rig.slow) == i);
  CHECK(turn_until(rig.reactor, [&] { return rig.queue.quiet(); }));
  CHECK(rig.standing("slow") == Standing::kReads);
  CHECK(rig.attempt("slow", 3) == Sent::kYes);
}

TEST_CASE("of small messages some stand for all: many that lie in libzmq make a connection slow too") {
  Rig rig(exact(40'000));  // high-water marks of 4 messages on both sides
  const auto eager = rig.dial("eager");
  int sent = 0;
  while (rig.standing("slow") == Standing::kReads && rig.forward("slow", sent, 500) != Delivery::kGone)
    ++sent;
  CHECK(sent > 10'000 / 856);
  CHECK(sent < 40);
  CHECK(rig.forward("eager", 0, 500) == Delivery::kSent);
}

TEST_CASE("a large message does not stand for small ones of others") {
  Rig rig(exact(40'000));
  const auto eager = rig.dial("eager");
  for (int i = 0; i < 40 && rig.standing("slow") == Standing::kReads; ++i) {
    rig.forward("slow", i, 600);
    rig.forward("eager", i, 2'000);
    CHECK(rig.next(*eager) == i);
  }
  CHECK(rig.standing("slow") == Standing::kSlow);
  CHECK(rig.standing("eager") == Standing::kReads);
}

TEST_CASE(
    "a connection that lets too much lie in libzmq is given up, told to be cut, and has its memory back") {
  Rig rig(exact(40'000));
  std::vector<std::string> cut;
  rig.queue.on_given_up([&](std::string_view identity) { cut.emplace_back(identity); });
  const auto other = rig.dial("other");
  for (int i = 0; i < 4; ++i) CHECK(rig.forward("slow", i, 9'900) != Delivery::kGone);
  CHECK(rig.forward("slow", 4, 9'900) == Delivery::kGone);
  CHECK(cut == std::vector<std::string>{"slow"});
  CHECK(rig.standing("slow") == Standing::kGivenUp);
  CHECK(rig.forward("slow", 5) == Delivery::kGone);
  CHECK(rig.attempt("slow", 6) == Sent::kGone);
  CHECK(rig.forward("other", 7, 9'900) == Delivery::kSent);
  CHECK(cut == std::vector<std::string>{"slow"});

  rig.queue.forget("slow");
  CHECK(rig.standing("slow") == Standing::kReads);
}

TEST_CASE("one message alone is always taken, be it larger than the limit") {
  Rig rig(exact(40'000));
  CHECK(rig.forward("slow", 1, 100'000) == Delivery::kSent);
  CHECK(rig.forward("slow", 2, 2'000) == Delivery::kGone);
}

TEST_CASE("with too much on its way to all, the one with the most is given up, and the others are not") {
  Rig rig(exact({100'000, 100'000}));
  std::vector<std::string> cut;
  rig.queue.on_given_up([&](std::string_view identity) { cut.emplace_back(identity); });
  const auto greedy = rig.dial("greedy"), modest = rig.dial("modest");
  for (int i = 0; i < 3; ++i) REQUIRE(rig.forward("greedy", i, 20'000) != Delivery::kGone);
  for (int i = 0; i < 3; ++i) REQUIRE(rig.forward("modest", i, 10'000) != Delivery::kGone);
  CHECK(rig.forward("slow", 0, 20'000) == Delivery::kSent);
  CHECK(cut == std::vector<std::string>{"greedy"});
  for (int i = 0; i < 3; ++i) CHECK(rig.next(*modest) == i);
  CHECK(rig.next(*rig.slow) == 0);
}

TEST_CASE("what is held for a connection that ended does not reach another of its identity") {
  Rig rig;
  int sent = rig.fill();
  rig.queue.forget("slow");
  CHECK_FALSE(rig.queue.holding());
  for (int i = 0; i + 1 < sent; ++i) CHECK(rig.next(*rig.slow) == i);
  CHECK(turn_until(rig.reactor, [&] { return rig.attempt("slow", 1000) == Sent::kYes; }));
  CHECK(rig.next(*rig.slow) == 1000);
}

TEST_CASE("what is held for a connection that ends is let go of") {
  Rig rig;
  // libzmq ends a full pipe when the socket is polled, as a server's always is.
  const auto watch = rig.reactor.watch(rig.router.ref(), [] {});
  rig.fill();
  rig.slow.reset();
  CHECK(turn_until(rig.reactor, [&] { return !rig.queue.holding(); }));
  CHECK(rig.forward("slow", 1) == Delivery::kGone);
}

TEST_CASE("a socket with one peer keeps for that peer what comes before it is connected") {
  net::Reactor reactor;
  net::Context context(reactor);
  net::Socket dealer(context, zmq::socket_type::dealer, narrow());
  rpc::SendQueue queue(reactor.timers(), dealer, 50'000);
  for (int i = 0; i < 20; ++i) {
    auto frames = Rig::message("", i);
    CHECK(queue.forward(frames) == Delivery::kHeld);
  }
  net::Socket peer(context, zmq::socket_type::dealer, narrow());
  dealer.connect(peer.bind("tcp://127.0.0.1:*"));
  for (int i = 0; i < 20; ++i) {
    std::vector<net::Frame> frames;
    REQUIRE(turn_until(reactor, [&] { return peer.receive(frames) == net::Received::kMessage; }));
    CHECK(std::stoi(frames.back().to_string()) == i);
  }
}

}  // namespace zerosuite::test::outbox_test
