#include "proxy/router.hpp"

#include <doctest/doctest.h>

#include "support/golden.hpp"
#include "support/router_rig.hpp"

namespace zerosuite::test::relay_test {

// Two workers of one service.
struct Rig : RouterRig {
  using RouterRig::RouterRig;

  FakeOutlet& holding(const Call& call) { return holder(call) == "m1" ? m1 : m2; }
  FakeOutlet& other(const Call& call) { return holder(call) == "m1" ? m2 : m1; }

  FakeOutlet& m1 = join("m1");
  FakeOutlet& m2 = join("m2");
};

TEST_CASE("a call goes to one worker, and its answer to the client, byte for byte") {
  Rig rig;
  const auto call = rig.call("add", 3, 4);
  CHECK(rig.taken);
  FakeOutlet& worker = rig.holding(call);
  REQUIRE(worker.messages.size() == 1);
  CHECK(worker.messages.front().peer == "alice");
  CHECK(worker.messages.front().payload == call.payload);
  CHECK(rig.other(call).messages.empty());

  const std::string answer = rig.answer(worker, call, "OK", list(7));
  REQUIRE(rig.front.messages.size() == 1);
  CHECK(rig.front.messages.front().peer == "alice");
  CHECK(rig.front.messages.front().payload == answer);
  CHECK(rig.m1.malformed + rig.m2.malformed + rig.front.malformed == 0);
}

TEST_CASE("payloads of stock peers, and large ones, pass byte for byte") {
  RouterRig rig;
  FakeOutlet& worker = rig.join("m1", {.methods = {"add", "big"}});
  std::vector<std::string> payloads{golden("python_call_add"), golden("node_call_add")};
  for (const std::size_t size : {30U, 4000U, 100'000U})
    payloads.push_back(encode({.name = "big", .args = list(std::string(size, 'x'))}));
  for (const std::string& payload : payloads) {
    REQUIRE(rig.receive("alice", payload));
    REQUIRE(worker.messages.size() == 1);
    CHECK((worker.messages.front().payload == payload));
    const RouterRig::Call call{"alice", std::string(worker.messages.front().event().id), payload};
    const std::string answer = rig.answer(worker, call, "OK", list(wire::Bytes{payload}));
    CHECK((rig.front.messages.front().payload == answer));
    rig.front.messages.clear();
    worker.messages.clear();
    CHECK(rig.open() == 0);
  }
}

TEST_CASE("every later event of a channel goes to the worker that has it, byte for byte") {
  Rig rig;
  const auto call = rig.call("count", 10);
  FakeOutlet& worker = rig.holding(call);
  worker.messages.clear();
  const std::string more = rig.tell(call, "_zpc_more", 5);
  const std::string beat = rig.tell(call, "_zpc_hb", 0);
  const std::string odd = rig.tell(call, "something else", "x");
  REQUIRE(worker.messages.size() == 3);
  CHECK(worker.messages[0].payload == more);
  CHECK(worker.messages[1].payload == beat);
  CHECK(worker.messages[2].payload == odd);
  CHECK(rig.other(call).messages.empty());
  CHECK(rig.m1.malformed + rig.m2.malformed == 0);
}

TEST_CASE("a worker's heartbeats, grants and stream items reach the client in order") {
  Rig rig;
  const auto call = rig.call("count", 2);
  FakeOutlet& worker = rig.holding(call);
  rig.answer(worker, call, "_zpc_hb", list(0));
  rig.answer(worker, call, "_zpc_more", list(5));
  rig.answer(worker, call, "STREAM", packed(1));
  rig.answer(worker, call, "STREAM", packed(2));
  CHECK(rig.open() == 1);
  rig.answer(worker, call, "STREAM_DONE", packed(nullptr));
  CHECK(rig.heard(call) == "_zpc_hb [0]; _zpc_more [5]; STREAM 1; STREAM 2; STREAM_DONE nil");
  CHECK(rig.open() == 0);
}

TEST_CASE("OK, ERR and STREAM_DONE end a channel; what comes later is for nobody") {
  for (const std::string last : {"OK", "ERR", "STREAM_DONE"}) {
    Rig rig;
    const auto call = rig.call("add", 3, 4);
    FakeOutlet& worker = rig.holding(call);
    rig.answer(worker, call, last, list("a", "b", "c"));
    CHECK(rig.open() == 0);
    CHECK(worker.worker->load.outstanding == 0);
    worker.messages.clear();
    rig.tell(call, "_zpc_more", 5);
    CHECK_FALSE(rig.taken);
    rig.heard(call);
    rig.answer(worker, call, "STREAM", packed(1));
    CHECK(rig.heard(call).empty());
    CHECK(rig.counters().strays == 1);
    CHECK(worker.messages.empty());
  }
}

TEST_CASE("calls alternate between idle workers, and avoid the busy one") {
  Rig rig;
  const auto first = rig.call("add", 3, 4);
  const auto second = rig.call("add", 3, 4);
  CHECK(rig.holder(first) != rig.holder(second));
  FakeOutlet& freed = rig.holding(second);
  rig.ok(freed, second);
  for (int i = 0; i < 5; ++i) {
    const auto next = rig.call("add", 3, 4);
    CHECK(&rig.holding(next) == &freed);
    rig.ok(freed, next);
  }
}

TEST_CASE("a worker gets an empty delimiter, whatever stood in its place") {
  RouterRig rig;
  FakeOutlet& worker = rig.join("m1");
  const std::string payload = encode({.name = "add"});
  REQUIRE(rig.receive("alice", payload, "odd"));
  std::vector<net::Frame> bare;
  bare.emplace_back(std::string_view("bob"));
  bare.emplace_back(payload.data(), payload.size());
  REQUIRE(rig.router.receive(bare));
  CHECK(worker.malformed == 0);
  REQUIRE(worker.messages.size() == 2);
  CHECK(worker.messages[0].peer == "alice");
  CHECK(worker.messages[1].peer == "bob");
  CHECK(worker.messages[1].payload == payload);
}

TEST_CASE("every hop a call came by is passed on, and its answer goes back through all of them") {
  RouterRig rig;
  FakeOutlet& worker = rig.join("m1");
  const auto call = rig.send({.name = "add"}, "outer/inner/alice");
  REQUIRE(worker.messages.size() == 1);
  CHECK(worker.messages.front().peer == "outer/inner/alice");
  rig.tell(call, "_zpc_hb", 0);
  CHECK(worker.messages.back().peer == "outer/inner/alice");
  rig.ok(worker, call);
  CHECK(rig.heard(call) == "OK [7]");
  CHECK(rig.front.malformed == 0);
}

TEST_CASE(
    "what is no event of a client, and frames without an identity, are left to the server as they are") {
  Rig rig;
  CHECK_FALSE(rig.receive("alice", "no event at all"));
  CHECK_FALSE(rig.receive("alice", ""));
  CHECK_FALSE(rig.receive("alice", encode({.id = {}, .name = "add"})));
  std::string long_way = "1";
  for (int i = 2; i <= 17; ++i) long_way.append("/").append(std::to_string(i));
  CHECK_FALSE(rig.receive(long_way, encode({.name = "add"})));
  CHECK(rig.receive(long_way.substr(2), encode({.name = "add"})));

  const std::string payload = encode({.name = "add"});
  std::vector<net::Frame> alone;
  alone.emplace_back(payload.data(), payload.size());
  CHECK_FALSE(rig.router.receive(alone));
  REQUIRE(alone.size() == 1);
  CHECK(alone.front().to_string() == payload);
  std::vector<net::Frame> nothing;
  CHECK_FALSE(rig.router.receive(nothing));
}

TEST_CASE("a payload above the frame limit is left to the server, which refuses it") {
  proxy::RouterOptions options{.dispatch = {}, .settle = -1ms};
  options.dispatch.limits.max_frame_bytes = 100;
  Rig rig(options);
  rig.call("add", std::string(100, 'x'));
  CHECK_FALSE(rig.taken);
}

TEST_CASE("the proxy's own methods, the built-ins and the protocol's events are left to the server") {
  Rig rig;
  for (const std::string name : {"proxy.stats", "proxy.", "_zerorpc_inspect", "_zerorpc_nosuch", "_zpc_hb",
                                 "_zpc_more", "_zpx_cancel", "_zpx_ready"}) {
    CAPTURE(name);
    const std::string payload = encode({.name = name});
    std::vector<net::Frame> frames;
    for (const std::string_view part :
         {std::string_view("alice"), std::string_view(), std::string_view(payload)})
      frames.emplace_back(part.data(), part.size());
    CHECK_FALSE(rig.router.receive(frames));
    REQUIRE(frames.size() == 3);
    CHECK(frames.back().to_string() == payload);
  }
  CHECK(rig.counters().calls == 0);
  CHECK(rig.m1.messages.empty());
}

TEST_CASE("an event that answers to another client's channel reaches neither its worker nor its client") {
  Rig rig;
  const auto call = rig.call("count", 10);
  FakeOutlet& worker = rig.holding(call);
  worker.messages.clear();
  for (const std::string forger : {"bob", "alice/alice", "gate/alice"}) {
    for (const std::string event : {"_zpc_more", "_zpx_cancel", "OK"}) {
      rig.tell({forger, call.id, {}}, event, 100);
      CHECK_FALSE(rig.taken);
    }
  }
  CHECK(worker.messages.empty());
  CHECK(rig.open() == 1);
  rig.ok(worker, call);
  CHECK(rig.heard(call) == "OK [7]");
}

TEST_CASE("one id from two clients makes two calls, each with its own answer") {
  Rig rig;
  const std::string id = rig.fresh_id();
  const std::string payload = encode({.id = id, .name = "add"});
  const RouterRig::Call alice{"alice", id, payload};
  const RouterRig::Call bob{"bob", id, payload};
  REQUIRE(rig.receive("alice", payload));
  REQUIRE(rig.receive("bob", payload));
  CHECK(rig.counters().duplicates == 0);
  CHECK(rig.m1.messages.size() == 1);
  CHECK(rig.m2.messages.size() == 1);
  FakeOutlet& of_bob = rig.m1.messages.front().peer == "bob" ? rig.m1 : rig.m2;
  rig.answer(of_bob, bob, "OK", list(2));
  CHECK(rig.heard(bob) == "OK [2]");
  CHECK(rig.heard(alice).empty());
}

TEST_CASE("a second call under an id that is open is dropped and counted; the first goes on") {
  Rig rig;
  const auto call = rig.call("add", 3, 4);
  CHECK(rig.receive("alice", call.payload));
  CHECK(rig.counters().duplicates == 1);
  CHECK(rig.counters().calls == 1);
  CHECK(rig.m1.messages.size() + rig.m2.messages.size() == 1);
  rig.ok(rig.holding(call), call);
  CHECK(rig.heard(call) == "OK [7]");
  CHECK(rig.receive("alice", call.payload));
  CHECK(rig.open() == 1);
}

TEST_CASE("a worker that speaks on a channel it was not given is counted and not heard") {
  Rig rig;
  const auto call = rig.call("add", 3, 4);
  rig.ok(rig.other(call), call);
  rig.answer(rig.holding(call), {"bob", call.id, {}}, "OK", list(1));
  rig.answer(rig.holding(call), {"alice", rig.fresh_id(), {}}, "OK", list(1));
  CHECK(rig.counters().strays == 3);
  CHECK(rig.front.messages.empty());
  CHECK(rig.open() == 1);
}

TEST_CASE("what a worker sends that is no answer is counted and passed to nobody") {
  Rig rig;
  const auto call = rig.call("add", 3, 4);
  FakeOutlet& worker = rig.holding(call);
  rig.answer(worker, "alice", "no event at all");
  rig.answer(worker, "alice", "");
  rig.answer(worker, "alice", encode({.name = "OK"}));
  rig.answer(worker, std::string(256, 'x'), encode({.response_to = call.id, .name = "OK"}));
  std::vector<net::Frame> few(3);
  rig.router.on_worker(*worker.worker, few);
  rig.router.on_worker(*worker.worker, {});
  CHECK(rig.counters().strays == 6);
  CHECK(rig.front.messages.empty());
  CHECK(rig.open() == 1);
}

TEST_CASE(
    "an id that comes back in another width of its type names the same channel; of another type it does "
    "not") {
  Rig rig;
  const auto call = rig.call("add", 3, 4);
  const std::string text(wire::id_text(call.id));
  const std::string wide = std::string("\xc5\x00", 2) + static_cast<char>(text.size()) + text;
  rig.tell({"alice", packed(text), {}}, "_zpc_hb", 0);
  CHECK_FALSE(rig.taken);
  rig.tell({"alice", wide, {}}, "_zpc_hb", 0);
  CHECK(rig.taken);
  const std::string answer = rig.answer(rig.holding(call), {"alice", wide, {}}, "OK", list(7));
  REQUIRE(rig.front.messages.size() == 1);
  CHECK(rig.front.messages.front().payload == answer);
  CHECK(rig.open() == 0);
}

TEST_CASE("an answer above the frame limit is TooLarge to who asked, and its worker is told to stop") {
  proxy::RouterOptions options{.dispatch = {}, .settle = core::milliseconds(-1)};
  options.dispatch.limits.max_frame_bytes = 1000;
  RouterRig rig(options);
  FakeOutlet& worker = rig.join("m1");
  const auto asked = rig.call("math.add", 1);
  const auto other = rig.call("math.sub", 1);
  worker.took();
  rig.answer(worker, asked, "OK", list(std::string(2000, 'x')));
  CHECK(rig.heard(asked).starts_with("ERR [\"TooLarge\", \"the answer has 20"));
  CHECK(worker.took() == "_zpx_cancel []");
  CHECK(rig.heard(other).empty());
  rig.ok(worker, other);
  CHECK(rig.heard(other) == "OK [7]");
  rig.answer(worker, asked, "OK", list(std::string(2000, 'x')));
  CHECK(rig.counters().strays == 1);
}

TEST_CASE("a name of a service that is expected and never came is Unavailable, not unknown") {
  RouterRig rig;
  rig.registry.expect("legacy", {});
  const auto call = rig.call("legacy.add", 1);
  CHECK(rig.heard(call).empty());
  rig.pass(600ms);
  CHECK(rig.heard(call).starts_with("ERR [\"Unavailable\", \"no worker has offered legacy.add yet"));
  const auto early = rig.call("legacy.add", 1);
  FakeOutlet& worker = rig.join("l1", {.service = "legacy", .methods = {"add"}});
  rig.ok(worker, early);
  CHECK(rig.heard(early) == "OK [7]");
  CHECK(rig.heard(rig.call("legacy.nosuch")).starts_with("ERR [\"NameError\""));
}

}  // namespace zerosuite::test::relay_test
