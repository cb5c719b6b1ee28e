// Calls that wait: for room, for the first worker, for a name that nobody offers yet.
#include <doctest/doctest.h>

#include <vector>

#include "proxy/router.hpp"
#include "support/router_rig.hpp"

namespace zerosuite::test::queue_test {

const std::string kNoRoom = err("Overloaded", "no worker has room for add {\"retry_after_ms\":200}");
const std::string kNoWorker = err("Unavailable", "no worker for service math {\"retry_after_ms\":200}");

proxy::RouterOptions settled(const proxy::DispatcherOptions& dispatch = {}) {
  return {.dispatch = dispatch, .settle = -1ms};
}

// One worker that takes one call at a time, and has one.
struct Busy : RouterRig {
  explicit Busy(const proxy::DispatcherOptions& dispatch = {}) : RouterRig(settled(dispatch)) {
    worker.messages.clear();
  }

  FakeOutlet& worker = join("m1", {.max_inflight = 1});
  Call running = call("add", 0);
};

// A service that is known and has no worker.
struct Deserted : RouterRig {
  explicit Deserted(const proxy::DispatcherOptions& dispatch = {}) : RouterRig(settled(dispatch)) {
    lose(join("m1"));
  }
};

TEST_CASE("calls beyond a worker's limit wait, and follow in order as it answers") {
  Busy rig;
  const auto second = rig.call("add", 1);
  const auto third = rig.call("add", 2);
  CHECK(rig.router.dispatcher().queued() == 2);
  CHECK(rig.worker.took().empty());
  rig.ok(rig.worker, rig.running);
  CHECK(rig.worker.took() == "add [1]");
  rig.ok(rig.worker, second);
  CHECK(rig.worker.messages.front().payload == third.payload);
  rig.ok(rig.worker, third);
  CHECK(rig.heard(third) == "OK [7]");
  CHECK(rig.router.dispatcher().queued() == 0);
  CHECK(rig.worker.malformed == 0);
}

TEST_CASE("a worker that joins takes what waits") {
  Busy rig;
  rig.call("add", 1);
  rig.call("add", 2);
  FakeOutlet& another = rig.join("m2");
  CHECK(another.took() == "add [1]; add [2]");
}

TEST_CASE("a call that waits for longer than queue_ms is Overloaded") {
  Busy rig;
  const auto call = rig.call("add", 1);
  rig.pass(1990ms);
  CHECK(rig.heard(call).empty());
  rig.pass(20ms);
  CHECK(rig.heard(call) == kNoRoom);
  CHECK(rig.open() == 1);
  CHECK(rig.router.dispatcher().queued() == 0);
}

TEST_CASE("a call that finds the queue full is Overloaded at once") {
  Busy rig({.queue_calls = 2, .limits = {}, .balance = {}});
  rig.call("add", 1);
  rig.call("add", 2);
  CHECK(rig.heard(rig.call("add", 3)) == kNoRoom);
  CHECK(rig.router.dispatcher().queued() == 2);
  CHECK(rig.counters().errors.at("Overloaded") == 1);
}

TEST_CASE("a queue is full by its bytes too, and has room again once a call has left it") {
  Busy rig({.queue_bytes = 2000, .limits = {}, .balance = {}});
  const auto large = rig.call("add", std::string(1900, 'x'));
  CHECK(rig.heard(rig.call("add", std::string(200, 'x'))) == kNoRoom);
  CHECK(rig.heard(rig.call("add", 1)).empty());
  rig.tell(large, "_zpx_cancel");
  CHECK(rig.heard(rig.call("add", std::string(1500, 'x'))).empty());
}

TEST_CASE("a full queue of one service does not concern another") {
  Busy rig({.queue_calls = 1, .limits = {}, .balance = {}});
  rig.join("i1", {.service = "id", .methods = {"uuid"}, .max_inflight = 1});
  rig.call("add", 1);
  rig.call("uuid");
  CHECK(rig.heard(rig.call("uuid")).empty());
  CHECK(rig.router.dispatcher().queued() == 2);
}

TEST_CASE("a call without a worker is Unavailable after no_worker_ms") {
  Deserted rig;
  const auto call = rig.call("add", 1);
  rig.pass(490ms);
  CHECK(rig.heard(call).empty());
  rig.pass(20ms);
  CHECK(rig.heard(call) == kNoWorker);
  CHECK(rig.open() == 0);
}

TEST_CASE("a worker that comes in time takes the call that waited for it") {
  Deserted rig;
  const auto call = rig.call("add", 1);
  rig.pass(400ms);
  FakeOutlet& worker = rig.join("m2");
  REQUIRE(worker.messages.size() == 1);
  CHECK(worker.messages.front().payload == call.payload);
  rig.pass(200ms);
  CHECK(rig.heard(call).empty());
}

TEST_CASE("when the last worker goes, calls that wait for room wait only for no_worker_ms more") {
  Busy rig;
  const auto call = rig.call("add", 1);
  rig.pass(100ms);
  rig.lose(rig.worker);
  rig.pass(490ms);
  CHECK(rig.heard(call).empty());
  rig.pass(20ms);
  CHECK(rig.heard(call) == kNoWorker);
}

TEST_CASE("the last worker's going does not prolong a wait") {
  Busy rig;
  const auto call = rig.call("add", 1);
  rig.pass(1900ms);
  rig.lose(rig.worker);
  rig.pass(110ms);
  CHECK(rig.heard(call) == kNoWorker);
}

TEST_CASE("a call that waits is cancelled without a word to any worker") {
  Busy rig;
  const auto call = rig.call("add", 1);
  rig.tell(call, "_zpx_cancel");
  CHECK(rig.router.dispatcher().queued() == 0);
  CHECK(rig.open() == 1);
  rig.ok(rig.worker, rig.running);
  CHECK(rig.worker.took().empty());
  CHECK(rig.heard(call).empty());
}

TEST_CASE("the proxy answers the heartbeats of calls that wait, and sends its own") {
  Busy rig({.queue_for = 60s, .limits = {}, .balance = {}});
  const auto call = rig.call("add", 1);
  rig.pass(2s);
  rig.tell(call, "_zpc_hb", 0);
  CHECK(rig.taken);
  CHECK(rig.heard(call) == "_zpc_hb [0]");
  rig.pass(4s);
  CHECK(rig.heard(call) == "_zpc_hb [0]");
  rig.pass(5s);
  CHECK(rig.heard(call) == "_zpc_hb [0]");
  CHECK(rig.worker.took().empty());
  rig.ok(rig.worker, rig.running);
  rig.pass(10s);
  CHECK(rig.heard(call).empty());  // the worker beats now
}

TEST_CASE("a client of version 1 gets no heartbeat while its call waits") {
  Busy rig({.queue_for = 60s, .limits = {}, .balance = {}});
  const auto call = rig.send({.name = "add", .version = 1});
  rig.pass(19s);
  CHECK(rig.heard(call).empty());
  CHECK(rig.router.dispatcher().queued() == 1);
}

TEST_CASE("a call that waits and whose client has stopped beating is forgotten without a word") {
  Busy rig({.queue_for = 60s, .limits = {}, .balance = {}});
  const auto call = rig.call("add", 1);
  rig.pass(5s);
  rig.tell(call, "_zpc_hb", 0);
  rig.pass(14s);
  CHECK(rig.router.dispatcher().queued() == 1);
  rig.heard(call);
  rig.pass(2s);
  CHECK(rig.router.dispatcher().queued() == 0);
  CHECK(rig.heard(call).empty());
  CHECK(rig.counters().expired == 1);
}

TEST_CASE("a call that waits and whose client never beats is told by name when it has waited long enough") {
  Busy rig({.queue_for = 60s, .limits = {}, .balance = {}});
  const auto call = rig.call("add", 1);
  rig.pass(59s);
  CHECK(rig.router.dispatcher().queued() == 1);
  rig.heard(call);
  rig.pass(2s);
  CHECK(rig.heard(call) == kNoRoom);
}

TEST_CASE(
    "one client may fill a queue that nobody else needs, and others take its last places when they do") {
  Busy rig({.queue_calls = 8, .limits = {}, .balance = {}});
  std::vector<RouterRig::Call> hog;
  for (int i = 0; i < 8; ++i) hog.push_back(rig.call("add", i));
  CHECK(rig.router.dispatcher().queued() == 8);
  CHECK(rig.heard(rig.call("add", 8)) == kNoRoom);

  std::vector<RouterRig::Call> modest;
  for (int i = 0; i < 2; ++i) modest.push_back(rig.send({.name = "add"}, "bob"));
  CHECK(rig.heard(modest[0]).empty());
  CHECK(rig.heard(modest[1]).empty());
  CHECK(rig.heard(hog[7]) == kNoRoom);
  CHECK(rig.heard(hog[6]) == kNoRoom);
  CHECK(rig.heard(hog[5]).empty());
  CHECK(rig.heard(rig.send({.name = "add"}, "bob")) == kNoRoom);  // a quarter is its share
  CHECK(rig.router.dispatcher().queued() == 8);
}

TEST_CASE(
    "a client's share of a queue is counted in bytes too, and over all its ways through one connection") {
  Busy rig({.queue_calls = 100, .queue_bytes = 40'000, .limits = {}, .balance = {}});
  const std::string kilobytes(9000, 'x');
  std::vector<RouterRig::Call> hog;
  for (int i = 0; i < 2; ++i) hog.push_back(rig.call("add", kilobytes));
  for (int i = 0; i < 2; ++i)
    hog.push_back(rig.send({.name = "add", .args = list(kilobytes)}, "alice/behind"));
  CHECK(rig.heard(rig.call("add", kilobytes)) == kNoRoom);
  const auto modest = rig.send({.name = "add", .args = list(kilobytes)}, "bob");
  CHECK(rig.heard(modest).empty());
  CHECK(rig.heard(hog[3]) == kNoRoom);
  CHECK(rig.router.dispatcher().queued() == 4);
}

TEST_CASE(
    "when everybody in a full queue has a share of it and no more, nobody is sent away for a newcomer") {
  Busy rig({.queue_calls = 4, .limits = {}, .balance = {}});
  for (const std::string client : {"a", "b", "c", "d"}) rig.send({.name = "add"}, client);
  CHECK(rig.heard(rig.send({.name = "add"}, "e")) == kNoRoom);
  CHECK(rig.router.dispatcher().queued() == 4);
}

TEST_CASE("calls of a connection that is gone leave the queue as the proxy's heartbeat finds nobody") {
  Busy rig({.queue_for = 60s, .limits = {}, .balance = {}});
  for (int i = 0; i < 3; ++i) rig.call("add", i);
  rig.front.gone = {"alice"};
  rig.pass(5s);
  CHECK(rig.open() == 0);
  CHECK(rig.counters().clients_lost == 1);
  CHECK(rig.worker.took() == "_zpx_cancel []");
}

TEST_CASE("what a lost client's call leaves free does not go to another call of the same client") {
  Busy rig;
  rig.call("add", 1);
  rig.front.gone = {"alice"};
  rig.ok(rig.worker, rig.running);
  CHECK(rig.open() == 0);
  CHECK(rig.worker.took() == "_zpx_cancel []");  // of the call whose answer found nobody
}

TEST_CASE("when every worker's pipe is full a call waits, and is served once there is room") {
  RouterRig rig;
  FakeOutlet& one = rig.join("m1");
  FakeOutlet& two = rig.join("m2");
  one.sent = two.sent = net::Sent::kFull;
  const auto call = rig.call("math.add", 1);
  CHECK(one.attempts == 1);
  CHECK(two.attempts == 1);
  CHECK(rig.router.dispatcher().queued() == 1);
  rig.pass(100ms);
  CHECK(one.attempts > 5);
  CHECK(one.attempts < 60);
  two.sent = net::Sent::kYes;
  rig.pass(20ms);
  REQUIRE(two.messages.size() == 1);
  CHECK(two.messages.front().payload == call.payload);
  CHECK(two.malformed == 0);
  const int attempts = one.attempts;
  rig.pass(1s);
  CHECK(one.attempts == attempts);  // nothing waits any more
}

TEST_CASE("a call of a worker that has room passes those that wait for another worker's method") {
  RouterRig rig;
  FakeOutlet& adder = rig.join("m1", {.methods = {"add"}, .max_inflight = 1});
  FakeOutlet& suber = rig.join("m2", {.methods = {"sub"}});
  rig.call("add", 1);
  rig.call("add", 2);
  rig.call("sub", 3);
  rig.pass(20ms);
  CHECK(adder.took() == "add [1]");
  CHECK(suber.took() == "sub [3]");
}

}  // namespace zerosuite::test::queue_test
