// How calls end other than by their answer: deadlines, silence, clients that are gone, limits, the proxy's
// own end. And which worker gets them when some answer badly.
#include "proxy/dispatcher.hpp"

#include <doctest/doctest.h>

#include "proxy/router.hpp"
#include "support/router_rig.hpp"

namespace zerosuite::test::dispatch_test {

proxy::RouterOptions limited(std::size_t max_channels, std::size_t max_channels_per_peer) {
  return {.dispatch = {},
          .max_channels = max_channels,
          .max_channels_per_peer = max_channels_per_peer,
          .settle = -1ms};
}

// One worker.
struct Rig : RouterRig {
  using RouterRig::RouterRig;

  Call within(std::int64_t timeout_ms, std::optional<int> version = 3) {
    wire::Context extra;
    extra.add("timeout_ms", timeout_ms);
    return send({.name = "add", .version = version, .extra = &extra});
  }

  FakeOutlet& worker = join("m1");
};

const std::string kTooLate = err("DeadlineExceeded", "the deadline passed before add() had answered");
const std::string kTooMany = err("Overloaded", "too many calls are open");

TEST_CASE("a deadline of nothing or less has passed when the call arrives") {
  Rig rig;
  for (const std::int64_t timeout : {0, -1, -100'000})
    CHECK(rig.heard(rig.within(timeout)) ==
          err("DeadlineExceeded", "the deadline had passed when the call arrived"));
  CHECK(rig.worker.messages.empty());
  CHECK(rig.open() == 0);
}

TEST_CASE("a call whose deadline passes at a worker is DeadlineExceeded, and the worker is told") {
  Rig rig;
  const auto call = rig.within(1000);
  CHECK(rig.worker.messages.front().payload == call.payload);
  rig.worker.messages.clear();
  rig.pass(990ms);
  CHECK(rig.heard(call).empty());
  rig.pass(20ms);
  CHECK(rig.heard(call) == kTooLate);
  REQUIRE(rig.worker.messages.size() == 1);
  const wire::Event told = rig.worker.messages.front().event();
  CHECK(told.response_to == call.id);
  CHECK(rig.worker.messages.front().peer == "alice");
  CHECK(rig.worker.took() == "_zpx_cancel []");
  CHECK(rig.worker.worker->load.outstanding == 0);
  rig.ok(rig.worker, call);
  CHECK(rig.heard(call).empty());
}

TEST_CASE("a call whose deadline passes in the queue is DeadlineExceeded, and no worker hears of it") {
  Rig rig;
  rig.worker.worker->load.max_inflight = 0;
  const auto call = rig.within(1000);
  rig.pass(1010ms);
  CHECK(rig.heard(call) == kTooLate);
  CHECK(rig.router.dispatcher().queued() == 0);
  CHECK(rig.worker.messages.empty());
}

TEST_CASE("a deadline is for the first answer: a stream that has begun goes on") {
  Rig rig;
  const auto call = rig.within(1000);
  rig.answer(rig.worker, call, "_zpc_hb", list(0));
  rig.answer(rig.worker, call, "STREAM", packed(1));
  rig.pass(2s);
  rig.answer(rig.worker, call, "STREAM_DONE", packed(nullptr));
  CHECK(rig.heard(call) == "_zpc_hb [0]; STREAM 1; STREAM_DONE nil");
}

TEST_CASE("a heartbeat of the worker is no answer: the deadline holds") {
  Rig rig;
  const auto call = rig.within(1000);
  rig.answer(rig.worker, call, "_zpc_hb", list(0));
  rig.pass(1010ms);
  CHECK(rig.heard(call) == "_zpc_hb [0]; " + kTooLate);
}

TEST_CASE("a deadline further away than the clock can tell is none") {
  Rig rig;
  const auto call = rig.within(std::int64_t{1} << 50);
  rig.pass(1s);
  rig.ok(rig.worker, call);
  CHECK(rig.heard(call) == "OK [7]");
}

TEST_CASE("a client of version 1 hears of its deadline in one text") {
  Rig rig;
  const auto call = rig.within(100, 1);
  rig.pass(110ms);
  CHECK(rig.heard(call) == "ERR [\"DeadlineExceeded('the deadline passed before add() had answered')\"]");
}

TEST_CASE("a cancel goes to the worker and ends the channel") {
  Rig rig;
  const auto call = rig.call("add", 1);
  rig.worker.messages.clear();
  const std::string cancel = rig.tell(call, "_zpx_cancel");
  REQUIRE(rig.worker.messages.size() == 1);
  CHECK(rig.worker.messages.front().payload == cancel);
  CHECK(rig.open() == 0);
  CHECK(rig.worker.worker->load.outstanding == 0);
}

TEST_CASE("when a client turns out to be gone, the workers of all its calls are told, and nobody else's") {
  Rig rig;
  FakeOutlet& other = rig.join("i1", {.service = "id", .methods = {"uuid"}});
  const auto first = rig.call("add", 1);
  rig.call("uuid");
  rig.send({.name = "uuid"}, "alice/behind");
  const auto of_bob = rig.send({.name = "uuid"}, "bob");
  for (FakeOutlet* const worker : {&rig.worker, &other}) worker->messages.clear();
  rig.front.gone = {"alice"};
  rig.answer(rig.worker, first, "STREAM", packed(1));
  CHECK(rig.worker.took() == "_zpx_cancel []");
  CHECK(other.took() == "_zpx_cancel []; _zpx_cancel []");
  CHECK(rig.open() == 1);
  CHECK(rig.holder(of_bob) == "i1");
  CHECK(rig.counters().clients_lost == 1);
  CHECK(rig.router.totals().lost == 3);
}

TEST_CASE(
    "a call whose very answer finds nobody takes the client's other calls along, and its worker is told of "
    "each") {
  Rig rig;
  const auto first = rig.call("add", 1);
  rig.front.gone = {"alice"};
  const std::string second = rig.call("sub", 2).id;
  rig.worker.messages.clear();
  rig.ok(rig.worker, first);
  REQUIRE(rig.worker.messages.size() == 2);
  CHECK(rig.worker.messages.front().event().response_to == first.id);
  CHECK(rig.worker.messages.back().event().response_to == second);
  CHECK(rig.worker.took() == "_zpx_cancel []; _zpx_cancel []");
  CHECK(rig.open() == 0);
  CHECK(rig.counters().abandoned == 2);
}

TEST_CASE("an error or the end of a stream that finds nobody is told to the worker as well") {
  for (const std::string event : {"ERR", "STREAM_DONE"}) {
    Rig rig;
    const auto call = rig.call("count", 1);
    rig.worker.messages.clear();
    rig.front.gone = {"alice"};
    rig.answer(rig.worker, call, event, event == "ERR" ? list("Busy", "no", "no") : packed(nullptr));
    CHECK(rig.worker.took() == "_zpx_cancel []");
    CHECK(rig.open() == 0);
    CHECK(rig.worker.worker->load.outstanding == 0);
  }
}

TEST_CASE("a refusal that finds nobody ends the client's open calls") {
  Rig rig;
  rig.call("add", 1);
  rig.worker.messages.clear();
  rig.front.gone = {"alice"};
  rig.call("nosuch");
  CHECK(rig.worker.took() == "_zpx_cancel []");
  CHECK(rig.open() == 0);
}

TEST_CASE("a client that reads slowly keeps its calls: what it does not take yet is held for it") {
  Rig rig;
  const auto call = rig.call("count", 2);
  rig.front.delivery = rpc::Delivery::kHeld;
  rig.answer(rig.worker, call, "STREAM", packed(1));
  rig.answer(rig.worker, call, "STREAM_DONE", packed(nullptr));
  CHECK(rig.heard(call) == "STREAM 1; STREAM_DONE nil");
  CHECK(rig.counters().clients_lost == 0);
}

TEST_CASE(
    "an open call of which neither side was heard for channel_idle_ms ends by name, and its worker is told") {
  Rig rig({.dispatch = {.channel_idle = 20s, .limits = {}, .balance = {}}, .settle = -1ms});
  const auto call = rig.call("add", 1);
  rig.worker.messages.clear();
  rig.pass(15s);
  rig.answer(rig.worker, call, "_zpc_hb", list(0));
  rig.pass(15s);
  rig.tell(call, "_zpc_more", 0);
  rig.pass(19'900ms);
  CHECK(rig.open() == 1);
  CHECK(rig.worker.took() == "_zpc_more [0]");
  rig.pass(200ms);
  CHECK(rig.open() == 0);
  CHECK(rig.worker.took() == "_zpx_cancel []");
  CHECK(rig.heard(call) ==
        "_zpc_hb [0]; " + err("WorkerLost", "neither side of add() was heard for too long"));
  CHECK(rig.counters().expired == 1);
}

TEST_CASE("a call lasts as long as its client's own heartbeats come, however far apart") {
  for (const auto interval : {1s, 5s, 30s, 60s, 600s}) {
    CAPTURE(interval.count());
    Rig rig;
    const auto call = rig.call("add", 1);
    for (int beat = 0; beat < 3; ++beat) {
      rig.pass(interval);
      rig.tell(call, "_zpc_hb", 0);
    }
    rig.worker.messages.clear();
    const auto patience = 3 * std::max<core::Clock::duration>(interval, 5s);
    rig.pass(patience - 100ms);
    CHECK(rig.open() == 1);
    rig.pass(200ms);
    CHECK(rig.open() == 0);
    CHECK(rig.worker.took() == "_zpx_cancel []");
    CHECK(rig.heard(call).empty());
    CHECK(rig.counters().expired == 1);
  }
}

TEST_CASE("a client that sends no heartbeats keeps its call, and one whose worker sends none too") {
  Rig rig;
  const auto beaten_for = rig.call("add", 1);
  const auto silent = rig.call("add", 2);
  for (int minute = 0; minute < 50; ++minute) {
    rig.pass(1min);
    rig.answer(rig.worker, beaten_for, "_zpc_hb", list(0));
  }
  rig.heard(beaten_for);
  rig.ok(rig.worker, beaten_for);
  rig.ok(rig.worker, silent);
  CHECK(rig.heard(beaten_for) == "OK [7]");
  CHECK(rig.heard(silent) == "OK [7]");
}

TEST_CASE("a client that has beaten late once is not held to shorter intervals afterwards") {
  Rig rig;
  const auto call = rig.call("add", 1);
  rig.pass(40s);
  rig.tell(call, "_zpc_hb", 0);
  rig.pass(5s);
  rig.tell(call, "_zpc_hb", 0);
  rig.pass(119s);
  CHECK(rig.open() == 1);
}

TEST_CASE("a call of a client of version 1 is forgotten by its age alone, since such clients do not beat") {
  RouterRig rig({.dispatch = {.channel_age = 60s, .limits = {}, .balance = {}}, .settle = -1ms});
  FakeOutlet& worker = rig.join("m1");
  const auto call = rig.send({.name = "add", .version = 1});
  rig.pass(59s);
  CHECK(rig.open() == 1);
  rig.answer(worker, call, "_zpc_hb", list(0));
  rig.pass(1100ms);
  CHECK(rig.open() == 0);
  CHECK(worker.took() == "add []; _zpx_cancel []");
}

TEST_CASE("no more calls are open than max_channels, and no more of one connection than its share") {
  Rig rig(limited(3, 2));
  const auto first = rig.call("add", 1);
  rig.send({.name = "add"}, "alice/behind");
  CHECK(rig.heard(rig.call("add", 3)) == kTooMany);
  rig.send({.name = "add"}, "bob");
  const auto refused = rig.send({.name = "add"}, "carol");
  CHECK(rig.heard(refused) == kTooMany);
  CHECK(rig.open() == 3);
  rig.ok(rig.worker, first);
  CHECK(rig.heard(rig.call("add", 4)) == kTooMany);  // the last place is not for who has one
  CHECK(rig.heard(rig.send({.name = "add"}, "carol")).empty());
  CHECK(rig.open() == 3);
}

TEST_CASE("what gives something back finds the room that is kept back") {
  Rig rig(limited(16, 16));
  rig.join("l1", {.service = "lock", .methods = {"release"}, .relief = true});
  for (int i = 0; i < 16; ++i) rig.send({.name = "add"}, "client " + std::to_string(i));
  CHECK(rig.open() == 15);
  CHECK(rig.heard(rig.send({.name = "add"}, "alice")) == kTooMany);
  CHECK(rig.heard(rig.send({.name = "release"}, "alice")).empty());
  CHECK(rig.open() == 16);
  CHECK(rig.heard(rig.send({.name = "release"}, "bob")) == kTooMany);
}

TEST_CASE("a worker whose pipe is full is passed over for another") {
  Rig rig;
  FakeOutlet& other = rig.join("m2");
  rig.worker.sent = net::Sent::kFull;
  for (int i = 0; i < 10; ++i) rig.call("add", i);
  CHECK(rig.worker.messages.empty());
  CHECK(rig.worker.attempts == 1);  // full for a moment, and nobody asks in vain
  CHECK(other.messages.size() == 10);
}

TEST_CASE("a worker that answers Unavailable five times in a row gets no calls for a second") {
  for (const std::string name : {"Unavailable", "ShuttingDown"}) {
    Rig rig;
    FakeOutlet& other = rig.join("m2");
    other.worker->load.outstanding = 1000;
    for (int i = 0; i < 5; ++i) {
      const auto call = rig.call("add", i);
      REQUIRE(rig.holder(call) == "m1");
      rig.answer(rig.worker, call, "ERR", list(name, "no", "no"));
    }
    CHECK(rig.holder(rig.call("add", 6)) == "m2");
    rig.pass(1010ms);
    CHECK(rig.holder(rig.call("add", 7)) == "m1");
    CHECK(rig.worker.worker->errors == 5);
    CHECK(rig.counters().errors.at(name) == 5);
  }
}

TEST_CASE(
    "Unavailable is recognised in the one text of a client of version 1; other errors set nobody aside") {
  for (const auto& [args, ejected] :
       {std::pair(list("Unavailable('no')"), true), std::pair(list("ValueError", "no", "no"), false),
        std::pair(list("UnavailableToo", "no", "no"), false), std::pair(list(), false)}) {
    Rig rig;
    for (int i = 0; i < 5; ++i) rig.answer(rig.worker, rig.call("add", i), "ERR", args);
    CHECK(rig.worker.worker->load.ejected(rig.timers.now()) == ejected);
  }
}

TEST_CASE("a proxy that drains takes no new calls, and is idle when the last has ended") {
  Rig rig;
  const auto call = rig.call("add", 1);
  int idle = 0;
  rig.router.drain([&] { ++idle; });
  CHECK(rig.router.draining());
  CHECK(rig.heard(rig.call("add", 2)) == err("ShuttingDown", "the proxy is stopping and takes no new calls"));
  rig.tell(call, "_zpc_hb", 0);
  CHECK(rig.worker.took() == "add [1]; _zpc_hb [0]");
  CHECK(idle == 0);
  rig.ok(rig.worker, call);
  CHECK(rig.heard(call) == "OK [7]");
  CHECK(idle == 1);
}

TEST_CASE("a proxy without open calls is idle at once") {
  Rig rig;
  int idle = 0;
  rig.router.drain([&] { ++idle; });
  CHECK(idle == 1);
}

TEST_CASE("a proxy that gives up answers every open call, tells the workers, and is idle") {
  Rig rig;
  int idle = 0;
  const auto first = rig.call("add", 1);
  const auto second = rig.call("sub", 2);
  rig.router.drain([&] { ++idle; });
  rig.worker.messages.clear();
  rig.router.abort();
  for (const auto& call : {first, second})
    CHECK(rig.heard(call) == err("ShuttingDown", "the proxy stopped before the call had ended"));
  CHECK(rig.worker.took() == "_zpx_cancel []; _zpx_cancel []");
  CHECK(idle == 1);
  CHECK(rig.router.totals().open == 0);
}

}  // namespace zerosuite::test::dispatch_test
