#include "rpc/server/oneway.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/fakes.hpp"
#include "support/wait.hpp"

namespace zerosuite::test::oneway_test {

constexpr auto kAnyPort = "tcp://127.0.0.1:*";

// A receiver of either kind, and what its method was given.
template <class Receiver>
struct Receiving {
  Receiving(net::Context& context, net::Reactor& reactor) : receiver(context, reactor.timers(), offload) {
    receiver.server().method("note", {"n", "text"}, "", [this](int n, const std::string& text) {
      notes.push_back(std::to_string(n) + text);
    });
    receiver.start(reactor);
  }

  HandOffload offload;
  std::vector<std::string> notes;
  Receiver receiver;
};

struct Sockets {
  net::Reactor reactor;
  net::Context context{reactor};
};

TEST_CASE_FIXTURE(Sockets, "what a pusher pushes runs the puller's method, in order") {
  Receiving<rpc::Puller> puller(context, reactor);
  rpc::Pusher pusher(context);
  pusher.connect(puller.receiver.bind(kAnyPort));
  REQUIRE(pusher.send("note", 1, "a"));
  REQUIRE(pusher.send("note", 2, "b"));
  CHECK(turn_until(reactor, [&] { return puller.notes.size() == 2; }));
  CHECK(puller.notes == std::vector<std::string>{"1a", "2b"});
}

TEST_CASE_FIXTURE(Sockets, "a pusher deals its events to the pullers in turn") {
  Receiving<rpc::Puller> one(context, reactor);
  Receiving<rpc::Puller> two(context, reactor);
  rpc::Pusher pusher(context);
  pusher.connect(one.receiver.bind(kAnyPort));
  pusher.connect(two.receiver.bind(kAnyPort));
  for (int i = 0; i < 10; ++i) REQUIRE(pusher.send("note", i, ""));
  CHECK(turn_until(reactor, [&] { return one.notes.size() + two.notes.size() == 10; }));
  CHECK(one.notes.size() == 5);
}

TEST_CASE_FIXTURE(Sockets, "a pusher without a puller refuses instead of waiting") {
  rpc::Pusher pusher(context);
  pusher.bind(kAnyPort);
  CHECK_FALSE(pusher.send("note", 1, "a"));
}

TEST_CASE_FIXTURE(
    Sockets,
    "events that name no method, do not fit it or make it throw are counted, and the next is served") {
  Receiving<rpc::Puller> puller(context, reactor);
  puller.receiver.server().method("raise", "", [] { throw 42; });
  rpc::Pusher pusher(context);
  pusher.connect(puller.receiver.bind(kAnyPort));
  REQUIRE(pusher.send("nosuch"));
  REQUIRE(pusher.send("note", "x"));
  REQUIRE(pusher.send("raise"));
  REQUIRE(pusher.send("note", 1, "a"));
  CHECK(turn_until(reactor, [&] { return !puller.notes.empty(); }));
  CHECK(puller.receiver.server().stats().calls == 4);
  CHECK(puller.receiver.server().stats().errors == 3);
}

TEST_CASE_FIXTURE(Sockets, "arguments that cannot be sent throw, and the next event is whole") {
  Receiving<rpc::Puller> puller(context, reactor);
  rpc::Pusher pusher(context);
  pusher.connect(puller.receiver.bind(kAnyPort));
  CHECK_THROWS_AS(pusher.send("note", 1, "\xff"), wire::Mismatch);
  REQUIRE(pusher.send("note", 1, "a"));
  CHECK(turn_until(reactor, [&] { return !puller.notes.empty(); }));
  CHECK(puller.notes == std::vector<std::string>{"1a"});
}

TEST_CASE_FIXTURE(Sockets, "every subscriber gets what is published while it is connected") {
  Receiving<rpc::Subscriber> one(context, reactor);
  Receiving<rpc::Subscriber> two(context, reactor);
  rpc::Publisher publisher(context);
  const std::string endpoint = publisher.bind(kAnyPort);
  one.receiver.connect(endpoint);
  two.receiver.connect(endpoint);
  // A subscription takes its time to arrive: publish until both have heard something.
  CHECK(turn_until(reactor, [&] {
    CHECK(publisher.send("note", 0, "?"));
    return !one.notes.empty() && !two.notes.empty();
  }));
  REQUIRE(publisher.send("note", 1, "!"));
  CHECK(turn_until(reactor, [&] { return one.notes.back() == "1!" && two.notes.back() == "1!"; }));
}

}  // namespace zerosuite::test::oneway_test
