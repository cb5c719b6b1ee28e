// A grant that its proxy could not deliver is given back.
#include <doctest/doctest.h>

#include "lock/api/locks.hpp"
#include "support/broker_rig.hpp"
#include "support/server_rig.hpp"

namespace zerosuite::test::broker_undelivered_test {

using namespace std::chrono_literals;

// What the owner was granted reached nobody, as its proxy says.
void undelivered(BrokerRig& rig, const test::Asked& asked) {
  rig.undelivered(*asked);
  rig.turn();
}

// The broker's methods, and clients to call them.
struct Service : test::ServerRig {
  Service() { lock::bind(server, broker); }
  ~Service() {
    server.abort();
    turn();
  }
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  test::FakeLockEngine engine;
  lock::Broker broker{timers, engine, lock::Limits{}};
};

TEST_CASE(
    "a grant whose sending finds nobody is given back at the end of the turn, to the next who is there") {
  Service service;
  const auto held = service.call("acquire", "x", "ann", 30'000);
  REQUIRE(service.heard(held).starts_with("OK "));
  service.send({.name = "acquire", .args = test::list("x", "bob", 30'000, 60'000)}, "bob's");
  service.send({.name = "acquire", .args = test::list("x", "cat", 30'000, 60'000)}, "cat's");
  const lock::Token token = service.broker.info("x").holders.at(0).token;
  SUBCASE("of a call that waits") {
    service.broker.release({"x", "ann", token}, [](const auto&) {});
    service.sink.delivery = rpc::Delivery::kGone;
    service.turn();
    CHECK(service.broker.counters().grants == 3);
    CHECK(service.broker.counters().withdrawn == 2);
  }
  SUBCASE("of a call that is answered before its method returns") {
    service.sink.delivery = rpc::Delivery::kGone;
    service.call("acquire", "y", "dan", 30'000);
    CHECK(service.broker.info("y").holders.size() == 1);  // not inside the sending
    service.turn();
    CHECK(service.broker.info("y").holders.empty());
    service.broker.release({"x", "ann", token}, [](const auto&) {});
    service.turn();
  }
  CHECK(service.broker.leases().size() == 0);
  CHECK(service.broker.acquires().waiting() == 0);
}

TEST_CASE("what a ticket was told it was granted, though nobody heard it, is kept for its next wait") {
  Service service;
  service.call("acquire", "x", "ann", 30'000);
  const lock::Token token = service.broker.info("x").holders.at(0).token;
  const std::string queued = service.heard(service.call("enqueue", "x", "bob", 30'000));
  const auto at = queued.find("\"ticket\": \"") + 11;
  const std::string ticket = queued.substr(at, queued.find('"', at) - at);
  service.call("wait", ticket, 60'000);
  service.broker.release({"x", "ann", token}, [](const auto&) {});
  service.sink.delivery = rpc::Delivery::kGone;
  service.turn();
  CHECK(service.broker.info("x").holders.at(0).owner == "bob");
  service.sink.delivery = rpc::Delivery::kSent;
  const std::string told = service.heard(service.call("wait", ticket, 0));
  CHECK(told.find("\"ok\": true") != told.npos);
  CHECK(told.find("\"replay\": false") != told.npos);
  CHECK(service.heard(service.call("wait", ticket, 0)).find("\"replay\": true") != told.npos);
}

TEST_CASE("a grant that reached nobody is given back, and the next in line has the lock") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann"));
  const auto bob = rig.acquire(want("bob").waiting(1min));
  const auto cat = rig.acquire(want("cat").waiting(1min));
  rig.release(ann);
  REQUIRE(bob->state() == "granted");
  undelivered(rig, bob);
  CHECK(cat->state() == "granted");
  CHECK(rig.broker.counters().withdrawn == 1);
  undelivered(rig, bob);
  CHECK(rig.broker.info("x").holders.at(0).owner == "cat");
}

TEST_CASE("an entry that reached nobody is undone alone: the owner is still in it as often as it knows") {
  BrokerRig rig;
  rig.acquire(want("ann"));
  const auto inner = rig.acquire(want("ann"));
  REQUIRE(inner->granted().count == 2);
  undelivered(rig, inner);
  CHECK(rig.broker.info("x").holders.at(0).count == 1);
}

TEST_CASE("permits and sets that reached nobody are given back whole") {
  BrokerRig rig;
  const auto permits = rig.acquire(want("ann").permits(2, 3));
  const auto set = rig.acquire(want("ann", {"y", "z"}));
  undelivered(rig, permits);
  undelivered(rig, set);
  CHECK(rig.broker.leases().size() == 0);
}

TEST_CASE("a request that reached nobody is done anew when it is asked again") {
  BrokerRig rig;
  const auto first = rig.acquire(want("ann").called("r"));
  undelivered(rig, first);
  const auto again = rig.acquire(want("ann").called("r"));
  CHECK(again->state() == "granted");
  CHECK(again->granted().token > first->granted().token);
}

TEST_CASE("what was asked again before it was known that it reached nobody has been heard of, and stays") {
  BrokerRig rig;
  const auto first = rig.acquire(want("ann").called("r"));
  const auto again = rig.acquire(want("ann").called("r"));
  REQUIRE(again->state() == "replay");
  undelivered(rig, first);
  CHECK(rig.broker.info("x").holders.at(0).owner == "ann");
  CHECK(rig.acquire(want("bob"))->state() == "held");
}

}  // namespace zerosuite::test::broker_undelivered_test
