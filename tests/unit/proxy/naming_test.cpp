// Which worker a name leads to, and what its caller is told when it leads nowhere.
#include <doctest/doctest.h>

#include "proxy/frames.hpp"
#include "proxy/router.hpp"
#include "support/router_rig.hpp"

namespace zerosuite::test::naming_test {

struct Rig : RouterRig {
  FakeOutlet& math = join("m1");
  FakeOutlet& id = join("i1", {.service = "id", .methods = {"uuid"}});

  std::string refusal(const std::string& name) {
    const Call made = call(name);
    CHECK(taken);
    CHECK(open() == 0);
    return heard(made);
  }
};

// The keys sticky workers own: the first argument of each call they got.
std::vector<std::string> keys_at(FakeOutlet& connection) {
  std::vector<std::string> keys;
  for (const auto& message : std::exchange(connection.messages, {})) {
    const std::string line = show(message.event());
    keys.push_back(line.substr(line.find('[')));
  }
  return keys;
}

TEST_CASE_FIXTURE(Rig, "calls of several services go each to its own, by bare and by qualified names") {
  call("add", 1, 2);
  call("math.sub", 1, 2);
  call("uuid");
  call("id.uuid");
  CHECK(math.took() == "add [1, 2]; math.sub [1, 2]");
  CHECK(id.took() == "uuid []; id.uuid []");
}

TEST_CASE_FIXTURE(Rig, "a name that nobody has is a NameError that says what is missing") {
  CHECK(refusal("nosuch") == err("NameError", "nosuch"));
  CHECK(refusal("math.nosuch") == err("NameError", "math.nosuch: no such method"));
  CHECK(refusal("nope.add") == err("NameError", "nope.add: no such service"));
  CHECK(refusal("") == err("NameError", ""));
  CHECK(counters().errors.at("NameError") == 4);
  CHECK(counters().calls == 4);
}

TEST_CASE_FIXTURE(Rig, "a client of version 1 gets its refusal as one text") {
  for (const std::optional<int> version : {std::optional<int>(), std::optional(1)})
    CHECK(heard(send({.name = "nosuch", .version = version})) == "ERR [\"NameError('nosuch')\"]");
}

TEST_CASE_FIXTURE(Rig,
                  "a bare name of several services is an AmbiguousMethod that lists the names that are not") {
  join("s1", {.service = "sets", .methods = {"add"}});
  CHECK(refusal("add") == err("AmbiguousMethod", "add is a method of several services: math.add, sets.add"));
  call("math.add", 1, 2);
  CHECK(math.took() == "math.add [1, 2]");
}

TEST_CASE_FIXTURE(RouterRig,
                  "a call that one worker of its service knows goes to that one, however loaded it is") {
  FakeOutlet& older = join("m1", {.methods = {"add"}});
  FakeOutlet& newer = join("m2", {.methods = {"add", "mul"}});
  for (int i = 0; i < 20; ++i) call(i % 2 == 0 ? "mul" : "math.mul");
  CHECK(older.messages.empty());
  CHECK(newer.messages.size() == 20);
  call("add");
  CHECK(older.messages.size() == 1);
}

TEST_CASE_FIXTURE(
    RouterRig,
    "a qualified name loses its service on the way to a stock server, and every other byte stays") {
  FakeOutlet& stock = join("legacy", {.bare_names = true});
  wire::Context extra;
  extra.add("traceparent", "00-1-2");
  const std::string args = list(1, "two", 3.5) + "bytes behind the event";
  const auto call = send({.name = "math.add", .args = args, .version = 2, .extra = &extra});
  REQUIRE(stock.messages.size() == 1);
  CHECK(stock.messages.front().payload ==
        encode({.id = call.id, .name = "add", .args = args, .version = 2, .extra = &extra}));
  ok(stock, call);
  CHECK(heard(call) == "OK [7]");
}

TEST_CASE("a bare name reaches a stock server as it came") {
  RouterRig rig;
  FakeOutlet& stock = rig.join("legacy", {.methods = {"add", "dir.list"}, .bare_names = true});
  for (const std::string name : {"add", "dir.list"}) {
    const auto call = rig.call(name, 1);
    CHECK(stock.messages.back().payload == call.payload);
  }
  rig.call("math.dir.list", 1);
  CHECK(stock.messages.back().event().name == "dir.list");
}

TEST_CASE("a stock server whose pipe is full leaves the name as it was for the next worker") {
  RouterRig rig;
  FakeOutlet& stock = rig.join("legacy", {.bare_names = true});
  FakeOutlet& own = rig.join("m2");
  stock.sent = net::Sent::kFull;
  own.worker->load.outstanding = 1000;  // so that the other is asked first
  const auto call = rig.call("math.add", 1);
  CHECK(stock.attempts == 1);
  REQUIRE(own.messages.size() == 1);
  CHECK(own.messages.front().payload == call.payload);
}

TEST_CASE_FIXTURE(RouterRig,
                  "calls of a sticky service with one first argument go to one worker, loaded or not") {
  std::vector<FakeOutlet*> workers;
  for (const std::string id : {"l1", "l2", "l3"})
    workers.push_back(&join(id, {.service = "lock", .methods = {"take"}, .sticky = true}));
  for (int round = 0; round < 4; ++round) {
    for (int key = 0; key < 30; ++key) call(round % 2 == 0 ? "take" : "lock.take", key);
  }
  std::size_t calls = 0;
  for (FakeOutlet* const worker : workers) {
    auto keys = keys_at(*worker);
    calls += keys.size();
    std::sort(keys.begin(), keys.end());
    for (const std::string& key : keys) CHECK(std::count(keys.begin(), keys.end(), key) == 4);
    CHECK(keys.size() > 0);
  }
  CHECK(calls == 120);
}

TEST_CASE_FIXTURE(
    RouterRig,
    "the first argument alone decides, also as a list or a map, and calls without one go anywhere") {
  std::vector<FakeOutlet*> workers;
  for (const std::string id : {"l1", "l2"})
    workers.push_back(&join(id, {.service = "lock", .methods = {"take"}, .sticky = true}));
  const std::vector<std::string> key{"a", "b"};
  std::set<std::string> holders;
  for (int i = 0; i < 10; ++i) holders.insert(holder(call("take", key, i)));
  CHECK(holders.size() == 1);
  const auto first = call("take");
  workers[holder(first) == "l1" ? 0 : 1]->worker->load.outstanding += 1000;
  CHECK(holder(call("take")) != holder(first));
}

TEST_CASE_FIXTURE(RouterRig,
                  "a key waits for its own worker while that is full, and does not hold up other keys") {
  for (const std::string id : {"l1", "l2"})
    join(id, {.service = "lock", .methods = {"take"}, .sticky = true, .max_inflight = 1});
  const auto first = call("take", "a");
  const auto second = call("take", "a");
  CHECK(holder(second).empty());
  int key = 0;
  RouterRig::Call elsewhere;
  do elsewhere = call("take", ++key);
  while (holder(elsewhere).empty());
  CHECK(holder(elsewhere) != holder(first));
}

TEST_CASE_FIXTURE(RouterRig,
                  "a method whose own name begins like its service's is not taken for a qualified one") {
  FakeOutlet& stock = join("x", {.service = "lock", .methods = {"lock.take"}, .bare_names = true});
  call("lock.take", 1);
  call("lock.lock.take", 2);
  CHECK(stock.took() == "lock.take [1]; lock.take [2]");
}

TEST_CASE_FIXTURE(RouterRig,
                  "a first argument is the same key as text and as bytes, and whatever its length") {
  for (const std::string id : {"l1", "l2"})
    join(id, {.service = "lock", .methods = {"take"}, .sticky = true});
  for (int i = 0; i < 20; ++i) {
    const std::string name = std::to_string(i) + std::string(i * 10, 'x');
    CHECK(holder(call("take", name)) == holder(call("take", wire::Bytes{name})));
  }
}

TEST_CASE_FIXTURE(RouterRig,
                  "what one worker does not promise holds for no call, and one that is sticky binds all") {
  FakeOutlet& ours = join("m1", {.methods = {"add", "sub"}, .idempotent = true, .sticky = true});
  FakeOutlet& stock = join("x", {.methods = {"add"}, .bare_names = true});
  const proxy::Service& service = *ours.worker->service;
  CHECK(service.sticky);
  CHECK_FALSE(service.methods.at("add").idempotent);
  CHECK(service.methods.at("sub").idempotent);
  lose(stock);
  CHECK(service.methods.at("add").idempotent);
}

}  // namespace zerosuite::test::naming_test
