// What becomes of calls whose worker dies.
#include <doctest/doctest.h>

#include <vector>

#include "proxy/router.hpp"
#include "support/router_rig.hpp"

namespace zerosuite::test::worker_loss_test {

// What a client hears of a call to that method whose worker was lost.
std::string lost(const std::string& worker, const std::string& method) {
  return err("WorkerLost", "worker " + worker + " was lost before " + method + "() had ended: it is silent");
}

// One worker at first, so that it has the call.
struct Rig : RouterRig {
  explicit Rig(const Offer& what = {}, std::uint32_t max_credit = 1'000'000)
      : RouterRig({.dispatch = {}, .max_credit = max_credit, .settle = -1ms}),
        offer(what),
        first(join("m1", what)) {}

  FakeOutlet& join_another(const std::string& id = "m2") { return join(id, offer); }

  Offer offer;
  FakeOutlet& first;
};

struct Idempotent : Rig {
  Idempotent() : Rig({.idempotent = true}) {}
};

// A stream that has sent one item, for which the client had credit, and may send no more.
struct Stream : Rig {
  explicit Stream(const Offer& what = {}) : Rig(what), stream(call("count", 10)) {
    answer(first, stream, "STREAM", packed(1));
    heard(stream);
  }
  Call stream;
};

TEST_CASE("a call that may not be repeated ends with WorkerLost, at once") {
  Rig rig;
  FakeOutlet* another = nullptr;
  const auto call = rig.call("math.add", 1);
  another = &rig.join_another();
  rig.lose(rig.first);
  CHECK(rig.heard(call) == lost("m1", "math.add"));
  CHECK(another->messages.empty());
  CHECK(rig.open() == 0);
  CHECK(rig.first.lost_for == "it is silent");
  CHECK(rig.registry.worker("m1") == nullptr);
  CHECK(rig.counters().retries == 0);
}

TEST_CASE("an idempotent call without an answer is asked of another worker, byte for byte") {
  for (const std::size_t size : {0U, 100U, 5000U, 100'000U}) {
    Idempotent rig;
    const auto call = rig.call("add", std::string(size, 'x'));
    REQUIRE(rig.first.messages.size() == 1);
    FakeOutlet& another = rig.join_another();
    rig.lose(rig.first);
    REQUIRE(another.messages.size() == 1);
    CHECK((another.messages.front().payload == call.payload));
    CHECK(another.messages.front().peer == "alice");
    CHECK(another.malformed == 0);
    CHECK(rig.heard(call).empty());
    CHECK(rig.counters().retries == 1);
    rig.ok(another, call);
    CHECK(rig.heard(call) == "OK [7]");
  }
}

TEST_CASE("heartbeats and grants of the lost worker do not count as an answer") {
  Idempotent rig;
  const auto call = rig.call("add", 1);
  FakeOutlet& another = rig.join_another();
  rig.answer(rig.first, call, "_zpc_hb", list(0));
  rig.answer(rig.first, call, "_zpc_more", list(1));
  rig.lose(rig.first);
  CHECK(another.took() == "add [1]");
}

TEST_CASE("later events of a call that was asked again go to its new worker") {
  Idempotent rig;
  const auto call = rig.call("add", 1);
  FakeOutlet& another = rig.join_another();
  rig.lose(rig.first);
  rig.tell(call, "_zpc_hb", 0);
  CHECK(another.took() == "add [1]; _zpc_hb [0]");
}

TEST_CASE("a call is asked again once: the second loss is WorkerLost") {
  Idempotent rig;
  const auto call = rig.call("add", 1);
  FakeOutlet& second = rig.join_another("m2");
  rig.lose(rig.first);
  FakeOutlet& third = rig.join_another("m3");
  rig.lose(second);
  CHECK(rig.heard(call) == lost("m2", "add"));
  CHECK(third.messages.empty());
  CHECK(rig.counters().retries == 1);
}

TEST_CASE("an idempotent call waits for a worker when there is no other, and is asked again then") {
  Idempotent rig;
  const auto call = rig.call("add", 1);
  rig.lose(rig.first);
  CHECK(rig.router.dispatcher().queued() == 1);
  rig.pass(400ms);
  FakeOutlet& another = rig.join_another();
  REQUIRE(another.messages.size() == 1);
  CHECK(another.messages.front().payload == call.payload);
}

TEST_CASE("an idempotent call that finds no other worker in time is Unavailable") {
  Idempotent rig;
  const auto call = rig.call("add", 1);
  rig.lose(rig.first);
  rig.pass(510ms);
  CHECK(rig.heard(call) == err("Unavailable", "no worker for service math {\"retry_after_ms\":200}"));
}

TEST_CASE("an idempotent call whose repetition finds the queue full is Overloaded") {
  RouterRig rig({.dispatch = {.queue_calls = 0, .limits = {}, .balance = {}}, .settle = -1ms});
  FakeOutlet& only = rig.join("m1", {.idempotent = true});
  const auto first = rig.call("add", 1);
  const auto second = rig.call("add", 2);
  rig.lose(only);
  for (const auto& call : {first, second}) CHECK(rig.heard(call).starts_with("ERR [\"Overloaded\""));
  CHECK(rig.open() == 0);
}

TEST_CASE("calls beyond retry_bytes are not kept, whoever makes them") {
  RouterRig rig({.dispatch = {.retry_bytes = 500, .limits = {}, .balance = {}}, .settle = -1ms});
  FakeOutlet& only = rig.join("m1", {.idempotent = true});
  const std::string argument = list(std::string(80, 'x'));
  std::vector<RouterRig::Call> calls;
  for (const std::string client : {"a", "b", "c", "d", "e", "f", "g", "h"})
    calls.push_back(rig.send({.name = "add", .args = argument}, client));
  FakeOutlet& another = rig.join("m2", {.idempotent = true});
  rig.lose(only);
  CHECK(another.messages.size() == 4);
  CHECK(rig.heard(calls[3]).empty());
  CHECK(rig.heard(calls[7]) == lost("m1", "add"));
}

TEST_CASE("calls that have ended make room for those of other clients") {
  RouterRig rig({.dispatch = {.retry_bytes = 500, .limits = {}, .balance = {}}, .settle = -1ms});
  FakeOutlet& only = rig.join("m1", {.idempotent = true});
  const std::string argument = list(std::string(80, 'x'));
  for (const std::string client : {"a", "b", "c", "d", "e", "f", "g", "h"})
    rig.ok(only, rig.send({.name = "add", .args = argument}, client));
  const auto call = rig.send({.name = "add", .args = argument}, "i");
  FakeOutlet& another = rig.join("m2", {.idempotent = true});
  rig.lose(only);
  CHECK(another.messages.size() == 1);
  CHECK(rig.heard(call).empty());
}

TEST_CASE("calls beyond a client's share of retry_bytes end with WorkerLost; what has ended makes room") {
  RouterRig rig({.dispatch = {.retry_bytes = 600, .limits = {}, .balance = {}}, .settle = -1ms});
  FakeOutlet& only = rig.join("m1", {.idempotent = true});
  rig.ok(only, rig.call("add", std::string(100, 'x')));
  const auto kept = rig.call("add", std::string(80, 'x'));
  const auto beyond = rig.call("add", std::string(80, 'x'));
  FakeOutlet& another = rig.join("m2", {.idempotent = true});
  rig.lose(only);
  CHECK(rig.heard(beyond) == lost("m1", "add"));
  REQUIRE(another.messages.size() == 1);
  CHECK(another.messages.front().payload == kept.payload);
  const auto later = rig.call("add", std::string(80, 'x'));  // the first is not kept for a third time
  rig.join("m3", {.idempotent = true});
  rig.lose(another);
  CHECK(rig.heard(kept).starts_with("ERR [\"WorkerLost\""));
  CHECK(rig.holder(later) == "m3");
}

TEST_CASE("an idempotent stream that has begun is not asked again") {
  Rig rig({.idempotent = true});
  const auto call = rig.call("count", 10);
  rig.tell(call, "_zpc_more", 5);
  rig.answer(rig.first, call, "STREAM", packed(1));
  FakeOutlet& another = rig.join_another();
  rig.lose(rig.first);
  CHECK(rig.heard(call) == "STREAM 1; " + lost("m1", "count"));
  CHECK(another.messages.empty());
}

TEST_CASE("a stream with credit left ends with WorkerLost at once") {
  Stream rig;
  rig.tell(rig.stream, "_zpc_more", 1);
  rig.lose(rig.first);
  CHECK(rig.heard(rig.stream) == lost("m1", "count"));
  CHECK(rig.open() == 0);
}

TEST_CASE("a stream without credit ends with WorkerLost when its client grants some") {
  Stream rig;
  rig.lose(rig.first);
  CHECK(rig.heard(rig.stream).empty());
  CHECK(rig.open() == 1);
  rig.pass(3s);
  rig.tell(rig.stream, "_zpc_more", 0);
  rig.tell(rig.stream, "_zpc_more", "nonsense");
  CHECK(rig.heard(rig.stream).empty());
  rig.tell(rig.stream, "_zpc_more", 100.0);
  CHECK(rig.heard(rig.stream) == lost("m1", "count"));
  CHECK(rig.open() == 0);
}

TEST_CASE(
    "a client that takes its time over a stream's items hears of its end however late it asks for more") {
  Stream rig;
  rig.lose(rig.first);
  rig.pass(50min);
  rig.heard(rig.stream);
  rig.tell(rig.stream, "_zpc_more", 1);
  CHECK(rig.heard(rig.stream) == lost("m1", "count"));
}

TEST_CASE("a stream without credit is let go when its client stops beating") {
  Stream rig;
  rig.lose(rig.first);
  rig.pass(5s);
  rig.tell(rig.stream, "_zpc_hb", 0);
  rig.pass(14s);
  CHECK(rig.open() == 1);
  rig.pass(2s);
  CHECK(rig.open() == 0);
}

TEST_CASE("more credit than max_credit is not counted, so a lost stream ends when what counts is used up") {
  for (const std::uint32_t most : {2U, 3'000'000'000U}) {
    CAPTURE(most);
    Rig rig({}, most);
    const auto stream = rig.call("count", 10);
    rig.answer(rig.first, stream, "STREAM", packed(0));
    rig.tell(stream, "_zpc_more", std::int64_t{2'000'000});
    for (int i = 0; i < 2; ++i) rig.answer(rig.first, stream, "STREAM", packed(i));
    rig.heard(stream);
    rig.lose(rig.first);
    CHECK(rig.heard(stream).empty() == (most == 2));
  }
}

TEST_CASE("items use up what was granted, one each") {
  Stream rig;
  rig.tell(rig.stream, "_zpc_more", 3);
  for (int i = 0; i < 3; ++i) rig.answer(rig.first, rig.stream, "STREAM", packed(i));
  rig.heard(rig.stream);
  rig.lose(rig.first);
  CHECK(rig.heard(rig.stream).empty());
  CHECK(rig.open() == 1);
}

TEST_CASE("a heartbeat of a client of version 2 that grants credit ends its stream with WorkerLost") {
  Rig rig;
  const auto stream = rig.send({.name = "count", .version = 2});
  rig.answer(rig.first, stream, "STREAM", packed(1));
  rig.lose(rig.first);
  rig.tell(stream, "_zpc_hb", 0);
  CHECK(rig.heard(stream) == "STREAM 1; _zpc_hb [0]");
  rig.tell(stream, "_zpc_hb", 2);
  CHECK(rig.heard(stream) == lost("m1", "count"));
}

TEST_CASE(
    "a stream whose client grants nothing is kept as long as it beats, and its heartbeats are answered") {
  Stream rig;
  rig.lose(rig.first);
  rig.pass(2s);
  rig.tell(rig.stream, "_zpc_hb", 0);
  CHECK(rig.heard(rig.stream) == "_zpc_hb [0]");
  rig.pass(7900ms);
  CHECK(rig.heard(rig.stream) == "_zpc_hb [0]; _zpc_hb [0]");
  for (int i = 0; i < 10; ++i) {
    rig.tell(rig.stream, "_zpc_hb", 0);
    rig.pass(10s);
  }
  CHECK(rig.open() == 1);
}

TEST_CASE("a cancel ends a stream whose worker was lost") {
  Stream rig;
  rig.lose(rig.first);
  rig.tell(rig.stream, "_zpx_cancel");
  CHECK(rig.open() == 0);
  CHECK(rig.heard(rig.stream).empty());
}

TEST_CASE("a worker that is not there when a call is sent is lost, and the call goes to another") {
  Rig rig;
  const auto running = rig.call("add", 1);
  rig.first.messages.clear();
  FakeOutlet& another = rig.join_another();
  another.worker->load.outstanding = 1000;
  rig.first.sent = net::Sent::kGone;
  rig.call("add", 2);
  CHECK(another.took() == "add [2]");
  CHECK(rig.registry.worker("m1") != nullptr);  // not from under whoever is at work
  rig.pass(20ms);
  CHECK(rig.registry.worker("m1") == nullptr);
  CHECK(rig.heard(running) ==
        err("WorkerLost", "worker m1 was lost before add() had ended: its connection has ended"));
}

TEST_CASE("a worker that is not there when a later event is sent is lost") {
  Rig rig;
  const auto running = rig.call("add", 1);
  rig.first.sent = net::Sent::kGone;
  rig.tell(running, "_zpc_hb", 0);
  rig.pass(20ms);
  CHECK(rig.heard(running).starts_with("ERR [\"WorkerLost\""));
}

TEST_CASE("when both the worker and the clients of its calls are gone, nothing is left") {
  for (const bool idempotent : {false, true}) {
    Rig rig({.idempotent = idempotent});
    for (int i = 0; i < 3; ++i) rig.call("add", i);
    rig.first.sent = net::Sent::kGone;
    rig.front.gone = {"alice"};
    rig.lose(rig.first);
    rig.pass(600ms);
    CHECK(rig.open() == 0);
    CHECK(rig.router.dispatcher().queued() == 0);
  }
}

TEST_CASE("a deadline holds for a call that is asked again") {
  Idempotent rig;
  wire::Context extra;
  extra.add("timeout_ms", 1000);
  const auto call = rig.send({.name = "add", .extra = &extra});
  rig.pass(500ms);
  FakeOutlet& another = rig.join_another();
  rig.lose(rig.first);
  rig.pass(490ms);
  CHECK(rig.heard(call).empty());
  rig.pass(20ms);
  CHECK(rig.heard(call) == err("DeadlineExceeded", "the deadline passed before add() had answered"));
  CHECK(another.took() == "add []; _zpx_cancel []");
}

TEST_CASE("a qualified call is asked again of a stock server by its bare name, and back") {
  Rig rig({.idempotent = true, .bare_names = true});
  const auto call = rig.call("math.add", 1);
  CHECK(rig.first.took() == "add [1]");
  FakeOutlet& own = rig.join("m2", {.idempotent = true});
  rig.lose(rig.first);
  REQUIRE(own.messages.size() == 1);
  CHECK(own.messages.front().payload == call.payload);
}

TEST_CASE("what a worker said before its end, and nobody had read yet, is heard before its calls are lost") {
  Rig rig;
  const auto answered = rig.call("math.add", 1);
  const auto open = rig.call("math.add", 2);
  rig.first.unread = [&] { rig.ok(rig.first, answered); };
  rig.router.dispatcher().lose_later(*rig.first.worker);
  rig.pass(1ms);
  CHECK(rig.heard(answered) == "OK [7]");
  CHECK(rig.heard(open) ==
        err("WorkerLost", "worker m1 was lost before math.add() had ended: its connection has ended"));
}

TEST_CASE("a worker whose last words take it out is not lost twice") {
  Rig rig;
  rig.first.unread = [&] { rig.lose(rig.first); };
  FakeOutlet& another = rig.join_another();
  rig.router.dispatcher().lose_later(*another.worker);
  rig.router.dispatcher().lose_later(*rig.first.worker);
  rig.pass(1ms);
  CHECK(rig.registry.workers().empty());
}

TEST_CASE("one call of a worker can be lost without the others") {
  Rig rig;
  const auto lost_one = rig.call("math.add", 1);
  const auto kept = rig.call("math.add", 2);
  wire::Envelope alice;
  REQUIRE(alice.push("alice"));
  rig.router.dispatcher().lose_call(*rig.router.dispatcher().routes().find({alice, lost_one.id}),
                                    "it is silent");
  CHECK(rig.heard(lost_one) == lost("m1", "math.add"));
  rig.ok(rig.first, kept);
  CHECK(rig.heard(kept) == "OK [7]");
  CHECK(rig.registry.worker("m1") != nullptr);
}

}  // namespace zerosuite::test::worker_loss_test
