// The first seconds of a proxy, when workers have not come back to it yet.
#include <doctest/doctest.h>

#include "proxy/router.hpp"
#include "support/router_rig.hpp"

namespace zerosuite::test::settle_test {

struct Fresh : RouterRig {
  explicit Fresh(const proxy::RouterOptions& options = {}) : RouterRig(options) {}
};

std::string not_yet(const std::string& name) {
  return err("Unavailable", "no worker has offered " + name + " yet {\"retry_after_ms\":200}");
}

TEST_CASE("just after the start a name that nobody offers waits, and is Unavailable, not unknown") {
  Fresh rig;
  const auto bare = rig.call("add", 1);
  const auto qualified = rig.call("math.add", 1);
  CHECK(rig.router.dispatcher().queued() == 2);
  rig.pass(490ms);
  CHECK(rig.front.messages.empty());
  rig.pass(20ms);
  CHECK(rig.heard(bare) == not_yet("add"));
  CHECK(rig.heard(qualified) == not_yet("math.add"));
  CHECK(rig.open() == 0);
}

TEST_CASE("after settle_ms the same name is unknown at once") {
  Fresh rig;
  rig.pass(3600ms);
  CHECK(rig.heard(rig.call("add", 1)) == err("NameError", "add"));
}

TEST_CASE("a worker that comes takes the calls that waited for its names, in order, and no others") {
  Fresh rig;
  const auto bare = rig.call("add", 1);
  const auto other = rig.call("uuid", 2);
  const auto qualified = rig.call("math.add", 3);
  FakeOutlet& worker = rig.join("m1");
  REQUIRE(worker.messages.size() == 2);
  CHECK(worker.messages[0].payload == bare.payload);
  CHECK(worker.messages[1].payload == qualified.payload);
  CHECK(worker.malformed == 0);
  CHECK(rig.router.dispatcher().queued() == 1);
  rig.ok(worker, bare);
  CHECK(rig.heard(bare) == "OK [7]");
  rig.pass(600ms);
  CHECK(rig.heard(other) == not_yet("uuid"));
}

TEST_CASE("calls that waited for a name wait on in their service's queue when its worker is full") {
  Fresh rig;
  const auto first = rig.call("add", 1);
  const auto second = rig.call("add", 2);
  rig.pass(400ms);
  FakeOutlet& worker = rig.join("m1", {.max_inflight = 1});
  CHECK(worker.took() == "add [1]");
  rig.pass(1s);  // queue_ms now, not no_worker_ms
  CHECK(rig.heard(second).empty());
  rig.ok(worker, first);
  CHECK(worker.took() == "add [2]");
}

TEST_CASE("a call that waited for a sticky service goes to the owner of its key") {
  Fresh rig({.dispatch = {}, .settle = 1h});
  const Offer lock{.service = "lock", .methods = {"take"}, .sticky = true, .max_inflight = 1};
  for (int key = 0; key < 8; ++key) rig.call("take", key);
  FakeOutlet& one = rig.join("l1", lock);
  FakeOutlet& two = rig.join("l2", lock);
  one.worker->load.max_inflight = two.worker->load.max_inflight = 1000;
  rig.pass(20ms);
  CHECK(rig.router.dispatcher().queued() == 0);
  CHECK(one.messages.size() > 0);
  CHECK(two.messages.size() > 0);
  one.messages.pop_front();  // the first was given to the only worker there was
  for (FakeOutlet* const worker : {&one, &two}) {
    for (const auto& message : worker->messages) {
      wire::Reader args(message.event().args);
      args.array();
      CHECK(rig.holder(rig.call("take", wire::read<int>(args))) == worker->worker->id);
    }
  }
}

TEST_CASE("a bare name that becomes ambiguous while it waits is Unavailable in the end") {
  Fresh rig;
  rig.join("m1", {.service = "math", .methods = {"sub"}});
  const auto call = rig.call("add", 1);
  proxy::ServiceRegistry& registry = rig.registry;
  auto quiet = std::make_unique<proxy::Worker>();
  quiet->id = "s1";
  registry.add(std::move(quiet), registration("s1", {.service = "sets", .methods = {"add"}}));
  rig.join("l1", {.service = "log", .methods = {"add"}});
  rig.pass(600ms);
  CHECK(rig.heard(call) == not_yet("add"));
}

TEST_CASE("names that are refused for other reasons are refused during the first seconds too") {
  Fresh rig;
  wire::Context late;
  late.add("timeout_ms", 0);
  CHECK(rig.heard(rig.send({.name = "add", .extra = &late})) ==
        err("DeadlineExceeded", "the deadline had passed when the call arrived"));
  rig.join("m1", {.service = "math", .methods = {"add"}});
  rig.join("s1", {.service = "sets", .methods = {"add"}});
  CHECK(rig.heard(rig.call("add")).starts_with("ERR [\"AmbiguousMethod\""));
}

TEST_CASE("calls that wait for a name are bounded like every queue, and their heartbeats are answered") {
  Fresh rig(
      {.dispatch = {.queue_calls = 1, .no_worker_for = 1min, .limits = {}, .balance = {}}, .settle = 1h});
  const auto call = rig.call("add", 1);
  CHECK(rig.heard(rig.call("add", 2)).starts_with("ERR [\"Overloaded\""));
  rig.tell(call, "_zpc_hb", 0);
  CHECK(rig.heard(call) == "_zpc_hb [0]");
}

TEST_CASE("an idempotent call that waited for its name is asked of a second worker like any other") {
  Fresh rig;
  const auto call = rig.call("add", 1);
  FakeOutlet& first = rig.join("m1", {.idempotent = true});
  FakeOutlet& second = rig.join("m2", {.idempotent = true});
  CHECK(first.took() == "add [1]");
  rig.lose(first);
  CHECK(second.took() == "add [1]");
  CHECK(rig.heard(call).empty());
}

// A worker that does not read for a while, and clients that go on talking.

TEST_CASE("what a client says to a worker that does not read for a moment is kept") {
  RouterRig rig;
  FakeOutlet& worker = rig.join("m1");
  const auto call = rig.call("count", 9);
  worker.messages.clear();
  worker.sent = net::Sent::kFull;
  rig.tell(call, "_zpc_hb", 0);
  rig.tell(call, "_zpc_more", 5);
  rig.tell(call, "_zpx_cancel");
  CHECK(worker.took() == "_zpc_hb [0]; _zpc_more [5]; _zpx_cancel []");
}

TEST_CASE("one client's talk cannot fill a stalled worker's queue, nor make it count as dead") {
  RouterRig rig;
  FakeOutlet& worker = rig.join("m1");
  const auto loud = rig.send({.name = "count"}, "mallory");
  const auto quiet = rig.send({.name = "count"}, "alice");
  worker.messages.clear();
  worker.sent = net::Sent::kFull;
  const std::string megabyte(1 << 20, 'x');
  for (int i = 0; i < 30; ++i) rig.tell(loud, "_zpc_more", megabyte);
  CHECK(worker.messages.size() == 15);
  rig.tell(quiet, "_zpc_more", 7);
  CHECK(worker.messages.size() == 16);
  CHECK(worker.worker != nullptr);

  worker.sent = net::Sent::kYes;
  rig.tell(loud, "_zpc_hb", 0);
  worker.sent = net::Sent::kFull;
  rig.tell(loud, "_zpc_more", megabyte);
  CHECK(worker.messages.size() == 18);
}

}  // namespace zerosuite::test::settle_test
