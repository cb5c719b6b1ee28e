#include "rpc/worker/proxy_link.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "support/link_rig.hpp"

namespace zerosuite::test::proxy_link_test {

using namespace std::chrono_literals;
using rpc::Delivery;
using rpc::ProxyLink;
using Rig = test::LinkRig;

TEST_CASE("a link introduces itself as soon as it is connected, and is linked when the proxy says so") {
  Rig rig;
  std::vector<net::Frame> frames;
  REQUIRE(
      test::turn_until(rig.reactor, [&] { return rig.proxy->receive(frames) == net::Received::kMessage; }));
  REQUIRE(frames.size() == 3);
  const std::string payload = frames.back().to_string();
  const wire::Event ready = wire::decode(payload, {});
  CHECK(ready.name == rpc::kReady);
  CHECK(rpc::read_introduction(ready.args).id == "m1");
  CHECK(rig.host.lines.empty());
  rig.address = frames.front().to_string();
  rig.say(rpc::kAccepted);
  CHECK(rig.told() == "linked");
}

TEST_CASE(
    "a client's message is handed over as a ROUTER would receive it, and the answer goes back the same way") {
  Rig rig;
  rig.register_it();
  rig.send({"alice", "", "call"});
  CHECK(rig.told() == "[alice][][call]");
  rig.send({"gate", "alice", "", "call"});
  CHECK(rig.told() == "[gate][alice][][call]");
  CHECK(rig.answer("alice", "answer") == Delivery::kSent);
  CHECK(rig.next_but_pulses() == "[alice][][answer]");
  CHECK_FALSE(rig.link.holding());
}

TEST_CASE("before it is linked a link hands over no call and sends no answer") {
  Rig rig;
  CHECK(rig.answer("alice", "answer") == Delivery::kGone);
  REQUIRE(rig.next() == rpc::kReady);
  rig.send({"alice", "", "call"});
  rig.say(rpc::kAccepted);
  CHECK(rig.told() == "linked");
}

TEST_CASE("a refusal is told with its reason, and asked again after a second") {
  Rig rig;
  REQUIRE(rig.next() == rpc::kReady);
  rig.say(rpc::kRefused, test::list("InvalidArgument", "no service may be called \"x\""));
  CHECK(rig.told() == "refused InvalidArgument: no service may be called \"x\"");
  rig.pass(900ms);
  CHECK(rig.host.introductions == 1);
  rig.pass(200ms);
  CHECK(rig.host.introductions == 2);
  rig.register_it();
}

TEST_CASE("a proxy that takes a worker says who it is") {
  Rig rig;
  REQUIRE(rig.next() == rpc::kReady);
  rig.say(rpc::kAccepted,
          test::list(rpc::to_value(rpc::Greeting{"host, process 7", {"tcp://127.0.0.1:4243"}})));
  CHECK(rig.told() == "linked");
  CHECK(rig.host.greeting.name == "host, process 7");
  CHECK(rig.host.greeting.front == std::vector<std::string>{"tcp://127.0.0.1:4243"});
}

TEST_CASE("a refusal whose reason cannot be read is one all the same") {
  Rig rig;
  REQUIRE(rig.next() == rpc::kReady);
  rig.say(rpc::kRefused, test::list(5));
  CHECK(rig.told() == "refused ProtocolError: for a reason that cannot be read");
}

TEST_CASE("a link shows every second that it is alive") {
  Rig rig;
  rig.register_it();
  for (int i = 0; i < 2; ++i) {
    rig.pass(1010ms);
    CHECK(rig.next() == rpc::kWorkerHeartbeat);
    rig.say(rpc::kWorkerHeartbeat);
    rig.reactor.turn(20ms);
  }
  CHECK(rig.host.lines.empty());
}

TEST_CASE("a proxy that is silent for three seconds is lost, and dialed anew") {
  Rig rig;
  rig.register_it();
  const std::string before = rig.address;
  rig.pass(2900ms);
  CHECK(rig.host.lines.empty());
  for (int i = 0; i < 3 && rig.host.lines.empty(); ++i) rig.pass(1s);
  CHECK(rig.told() == "unlinked: the proxy is silent");
  CHECK(rig.answer("alice", "answer") == Delivery::kGone);
  rig.register_it();
  CHECK(rig.address != before);
}

TEST_CASE("a proxy that does not know the link is dialed anew") {
  Rig rig;
  rig.register_it();
  rig.say(rpc::kUnknownWorker);
  CHECK(rig.told() == "unlinked: the proxy does not know us any more");
  rig.register_it();
}

TEST_CASE(
    "when the connection ends the link is lost, and registers with whoever comes in the proxy's place") {
  Rig rig;
  rig.register_it();
  rig.restart_proxy();
  CHECK(rig.told() == "unlinked: the connection has ended");
  rig.register_it();
  CHECK(rig.answer("alice", "answer") == Delivery::kSent);
  CHECK(rig.next_but_pulses() == "[alice][][answer]");
}

TEST_CASE("a proxy that does not read is lost once too much is kept for it, and dialed anew") {
  Rig rig({.high_water = 1}, 4 << 20);
  rig.register_it();
  const std::string megabyte(1 << 20, 'x');
  bool held = false;
  Delivery delivery = Delivery::kSent;
  for (int i = 0; i < 1000 && delivery != Delivery::kGone; ++i) {
    delivery = rig.answer("alice", megabyte);
    held = held || rig.link.holding();
  }
  CHECK(held);
  CHECK(delivery == Delivery::kGone);
  CHECK(rig.told() == "unlinked: the proxy does not read");
  std::string line;
  do line = rig.next();
  while (line != rpc::kReady);
  rig.say(rpc::kAccepted);
  CHECK(rig.told() == "linked");
}

TEST_CASE("a link that was not taken yet loses nothing when its connection ends") {
  Rig rig;
  REQUIRE(rig.next() == rpc::kReady);
  rig.restart_proxy();
  rig.register_it();
}

TEST_CASE("what a proxy says that is no event, or none that is known, changes nothing") {
  Rig rig;
  rig.register_it();
  rig.send({"", "no event at all"});
  rig.say("_zpx_unheard_of");
  rig.say(rpc::kAccepted);
  rig.send({"alice", "", "call"});
  CHECK(rig.told() == "[alice][][call]");
}

TEST_CASE("a link that drains asks for no new calls, and is drained when the proxy says so") {
  Rig rig;
  rig.register_it();
  int drained = 0;
  rig.link.drain([&] { ++drained; });
  CHECK(rig.next_but_pulses() == rpc::kDrain);
  CHECK(drained == 0);
  rig.send({"alice", "", "late call"});
  rig.say(rpc::kDrained);
  CHECK(test::turn_until(rig.reactor, [&] { return drained > 0; }));
  CHECK(rig.told() == "[alice][][late call]");
  rig.say(rpc::kDrained);
  rig.reactor.turn(20ms);
  CHECK(drained == 1);
}

TEST_CASE("a link is drained no sooner than the calls before it that waited for their turn are served") {
  Rig rig;
  rig.register_it();
  rig.host.each_takes = 100us;
  rig.link.drain([&] { rig.host.note("drained"); });
  CHECK(rig.next_but_pulses() == rpc::kDrain);
  for (int i = 0; i < 200; ++i) rig.send({i % 2 == 0 ? "alice" : "bob", "", "call"});
  rig.send({"bob", "", "late call"});
  rig.say(rpc::kDrained);
  CHECK(test::turn_until(rig.reactor, [&] { return rig.host.lines.ends_with("drained"); }));
  CHECK(rig.told().ends_with("[bob][][late call]; drained"));
}

TEST_CASE("a link is drained when the proxy is silent or gone, and at once when it is not linked") {
  int drained = 0;
  const auto done = [&] { ++drained; };
  Rig silent;
  silent.register_it();
  silent.link.drain(done);
  silent.pass(2900ms);
  CHECK(drained == 0);
  for (int i = 0; i < 5 && drained == 0; ++i) silent.pass(1010ms);
  CHECK(drained == 1);

  Rig gone;
  gone.register_it();
  gone.link.drain(done);
  gone.proxy.reset();
  CHECK(test::turn_until(gone.reactor, [&] { return drained == 2; }));

  Rig unknown;
  unknown.link.drain(done);
  CHECK(drained == 3);
}

TEST_CASE("a link that drains introduces itself to nobody any more") {
  Rig rig;
  rig.register_it();
  rig.link.drain([] {});
  CHECK(rig.next_but_pulses() == rpc::kDrain);
  rig.say(rpc::kUnknownWorker);
  CHECK(test::turn_until(rig.reactor, [&] { return !rig.host.lines.empty(); }));
  rig.pass(10s);
  for (int turn = 0; turn < 20; ++turn) rig.reactor.turn(20ms);
  CHECK(rig.host.introductions == 1);
}

TEST_CASE("a link that leaves says good-bye, and neither hears nor dials any more") {
  Rig rig;
  rig.register_it();
  rig.link.leave();
  CHECK(rig.next_but_pulses() == rpc::kBye);
  rig.send({"alice", "", "call"});
  rig.say(rpc::kUnknownWorker);
  rig.pass(10s);
  rig.reactor.turn(20ms);
  CHECK(rig.host.lines.empty());
  CHECK(rig.answer("alice", "answer") == Delivery::kGone);
  CHECK(rig.host.introductions == 1);
}

TEST_CASE("an endpoint that is none is refused when the link is made") {
  net::Reactor reactor;
  net::Context context(reactor);
  net::Names names(reactor);
  test::RecordingHost host;
  const rpc::ProxyLinkOptions options{.endpoint = "nonsense", .socket = {}, .limits = {}};
  CHECK_THROWS_AS(ProxyLink({context, reactor, names}, host, options), core::Failure);
}

}  // namespace zerosuite::test::proxy_link_test
