#include "rpc/worker/proxy_link.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "support/link_rig.hpp"

namespace zerosuite::test::proxy_link_test {

using rpc::Delivery;
using rpc::ProxyLink;
using Rig = LinkRig;

struct Registered : Rig {
  Registered() { register_it(); }
};

TEST_CASE_FIXTURE(
    Rig, "a link introduces itself as soon as it is connected, and is linked when the proxy says so") {
  std::vector<net::Frame> frames;
  REQUIRE(turn_until(reactor, [&] { return proxy->receive(frames) == net::Received::kMessage; }));
  REQUIRE(frames.size() == 3);
  const std::string payload = frames.back().to_string();
  const wire::Event ready = wire::decode(payload, {});
  CHECK(ready.name == rpc::kReady);
  CHECK(rpc::read_introduction(ready.args).id == "m1");
  CHECK(host.lines.empty());
  address = frames.front().to_string();
  say(rpc::kAccepted);
  CHECK(told() == "linked");
}

TEST_CASE_FIXTURE(
    Registered,
    "a client's message is handed over as a ROUTER would receive it, and the answer goes back the same way") {
  send({"alice", "", "call"});
  CHECK(told() == "[alice][][call]");
  send({"gate", "alice", "", "call"});
  CHECK(told() == "[gate][alice][][call]");
  CHECK(answer("alice", "answer") == Delivery::kSent);
  CHECK(next_but_pulses() == "[alice][][answer]");
  CHECK_FALSE(link.holding());
}

TEST_CASE_FIXTURE(Rig, "before it is linked a link hands over no call and sends no answer") {
  CHECK(answer("alice", "answer") == Delivery::kGone);
  REQUIRE(next() == rpc::kReady);
  send({"alice", "", "call"});
  say(rpc::kAccepted);
  CHECK(told() == "linked");
}

TEST_CASE_FIXTURE(Rig, "a refusal is told with its reason, and asked again after a second") {
  REQUIRE(next() == rpc::kReady);
  say(rpc::kRefused, list("InvalidArgument", "no service may be called \"x\""));
  CHECK(told() == "refused InvalidArgument: no service may be called \"x\"");
  pass(900ms);
  CHECK(host.introductions == 1);
  pass(200ms);
  CHECK(host.introductions == 2);
  register_it();
}

TEST_CASE_FIXTURE(Rig, "a proxy that takes a worker says who it is") {
  REQUIRE(next() == rpc::kReady);
  say(rpc::kAccepted, list(rpc::to_value(rpc::Greeting{"host, process 7", {"tcp://127.0.0.1:4243"}})));
  CHECK(told() == "linked");
  CHECK(host.greeting.name == "host, process 7");
  CHECK(host.greeting.front == std::vector<std::string>{"tcp://127.0.0.1:4243"});
}

TEST_CASE_FIXTURE(Rig, "a refusal whose reason cannot be read is one all the same") {
  REQUIRE(next() == rpc::kReady);
  say(rpc::kRefused, list(5));
  CHECK(told() == "refused ProtocolError: for a reason that cannot be read");
}

TEST_CASE_FIXTURE(Registered, "a link shows every second that it is alive") {
  for (int i = 0; i < 2; ++i) {
    pass(1010ms);
    CHECK(next() == rpc::kWorkerHeartbeat);
    say(rpc::kWorkerHeartbeat);
    reactor.turn(20ms);
  }
  CHECK(host.lines.empty());
}

TEST_CASE_FIXTURE(Registered, "a proxy that is silent for three seconds is lost, and dialed anew") {
  const std::string before = address;
  pass(2900ms);
  CHECK(host.lines.empty());
  for (int i = 0; i < 3 && host.lines.empty(); ++i) pass(1s);
  CHECK(told() == "unlinked: the proxy is silent");
  CHECK(answer("alice", "answer") == Delivery::kGone);
  register_it();
  CHECK(address != before);
}

TEST_CASE_FIXTURE(Registered, "a proxy that does not know the link is dialed anew") {
  say(rpc::kUnknownWorker);
  CHECK(told() == "unlinked: the proxy does not know us any more");
  register_it();
}

TEST_CASE_FIXTURE(
    Registered,
    "when the connection ends the link is lost, and registers with whoever comes in the proxy's place") {
  restart_proxy();
  CHECK(told() == "unlinked: the connection has ended");
  register_it();
  CHECK(answer("alice", "answer") == Delivery::kSent);
  CHECK(next_but_pulses() == "[alice][][answer]");
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

TEST_CASE_FIXTURE(Rig, "a link that was not taken yet loses nothing when its connection ends") {
  REQUIRE(next() == rpc::kReady);
  restart_proxy();
  register_it();
}

TEST_CASE_FIXTURE(Registered, "what a proxy says that is no event, or none that is known, changes nothing") {
  send({"", "no event at all"});
  say("_zpx_unheard_of");
  say(rpc::kAccepted);
  send({"alice", "", "call"});
  CHECK(told() == "[alice][][call]");
}

TEST_CASE_FIXTURE(Registered,
                  "a link that drains asks for no new calls, and is drained when the proxy says so") {
  int drained = 0;
  link.drain([&] { ++drained; });
  CHECK(next_but_pulses() == rpc::kDrain);
  CHECK(drained == 0);
  send({"alice", "", "late call"});
  say(rpc::kDrained);
  CHECK(turn_until(reactor, [&] { return drained > 0; }));
  CHECK(told() == "[alice][][late call]");
  say(rpc::kDrained);
  reactor.turn(20ms);
  CHECK(drained == 1);
}

TEST_CASE_FIXTURE(
    Registered,
    "a link is drained no sooner than the calls before it that waited for their turn are served") {
  host.each_takes = 100us;
  link.drain([&] { host.note("drained"); });
  CHECK(next_but_pulses() == rpc::kDrain);
  for (int i = 0; i < 200; ++i) send({i % 2 == 0 ? "alice" : "bob", "", "call"});
  send({"bob", "", "late call"});
  say(rpc::kDrained);
  CHECK(turn_until(reactor, [&] { return host.lines.ends_with("drained"); }));
  CHECK(told().ends_with("[bob][][late call]; drained"));
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
  CHECK(turn_until(gone.reactor, [&] { return drained == 2; }));

  Rig unknown;
  unknown.link.drain(done);
  CHECK(drained == 3);
}

TEST_CASE_FIXTURE(Registered, "a link that drains introduces itself to nobody any more") {
  link.drain([] {});
  CHECK(next_but_pulses() == rpc::kDrain);
  say(rpc::kUnknownWorker);
  CHECK(turn_until(reactor, [&] { return !host.lines.empty(); }));
  pass(10s);
  for (int turn = 0; turn < 20; ++turn) reactor.turn(20ms);
  CHECK(host.introductions == 1);
}

TEST_CASE_FIXTURE(Registered, "a link that leaves says good-bye, and neither hears nor dials any more") {
  link.leave();
  CHECK(next_but_pulses() == rpc::kBye);
  send({"alice", "", "call"});
  say(rpc::kUnknownWorker);
  pass(10s);
  reactor.turn(20ms);
  CHECK(host.lines.empty());
  CHECK(answer("alice", "answer") == Delivery::kGone);
  CHECK(host.introductions == 1);
}

TEST_CASE("an endpoint that is none is refused when the link is made") {
  net::Reactor reactor;
  net::Context context(reactor);
  net::Names names(reactor);
  RecordingHost host;
  const rpc::ProxyLinkOptions options{.endpoint = "nonsense", .socket = {}, .limits = {}};
  CHECK_THROWS_AS(ProxyLink({context, reactor, names}, host, options), core::Failure);
}

}  // namespace zerosuite::test::proxy_link_test
