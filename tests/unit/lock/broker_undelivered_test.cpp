// A grant that its proxy could not deliver is given back.
#include <doctest/doctest.h>

#include "lock/api/locks.hpp"
#include "support/broker_rig.hpp"
#include "support/server_rig.hpp"

namespace zerosuite::test::broker_undelivered_test {

// The broker's methods, and clients to call them.
struct Service : ServerRig {
  Service() { lock::bind(server, broker); }
  ~Service() {
    server.abort();
    turn();
  }
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  FakeLockEngine engine;
  lock::Broker broker{timers, engine, lock::Limits{}};
};

TEST_CASE_FIXTURE(
    Service,
    "a grant whose sending finds nobody is given back at the end of the turn, to the next who is there") {
  const auto held = call("acquire", "x", "ann", 30'000);
  REQUIRE(heard(held).starts_with("OK "));
  send({.name = "acquire", .args = list("x", "bob", 30'000, 60'000)}, "bob's");
  send({.name = "acquire", .args = list("x", "cat", 30'000, 60'000)}, "cat's");
  const lock::Token token = broker.info("x").holders.at(0).token;
  SUBCASE("of a call that waits") {
    broker.release({"x", "ann", token}, [](const auto&) {});
    sink.delivery = rpc::Delivery::kGone;
    turn();
    CHECK(broker.counters().grants == 3);
    CHECK(broker.counters().withdrawn == 2);
  }
  SUBCASE("of a call that is answered before its method returns") {
    sink.delivery = rpc::Delivery::kGone;
    call("acquire", "y", "dan", 30'000);
    CHECK(broker.info("y").holders.size() == 1);  // not inside the sending
    turn();
    CHECK(broker.info("y").holders.empty());
    broker.release({"x", "ann", token}, [](const auto&) {});
    turn();
  }
  CHECK(broker.leases().size() == 0);
  CHECK(broker.acquires().waiting() == 0);
}

TEST_CASE_FIXTURE(
    Service, "what a ticket was told it was granted, though nobody heard it, is kept for its next wait") {
  call("acquire", "x", "ann", 30'000);
  const lock::Token token = broker.info("x").holders.at(0).token;
  const std::string queued = heard(call("enqueue", "x", "bob", 30'000));
  const auto at = queued.find("\"ticket\": \"") + 11;
  const std::string ticket = queued.substr(at, queued.find('"', at) - at);
  call("wait", ticket, 60'000);
  broker.release({"x", "ann", token}, [](const auto&) {});
  sink.delivery = rpc::Delivery::kGone;
  turn();
  CHECK(broker.info("x").holders.at(0).owner == "bob");
  sink.delivery = rpc::Delivery::kSent;
  const std::string told = heard(call("wait", ticket, 0));
  CHECK(told.find("\"ok\": true") != told.npos);
  CHECK(told.find("\"replay\": false") != told.npos);
  CHECK(heard(call("wait", ticket, 0)).find("\"replay\": true") != told.npos);
}

TEST_CASE_FIXTURE(HeldRig, "a grant that reached nobody is given back, and the next in line has the lock") {
  const auto bob = acquire(want("bob").waiting(1min));
  const auto cat = acquire(want("cat").waiting(1min));
  release(ann);
  REQUIRE(bob->state() == "granted");
  undelivered(bob);
  CHECK(cat->state() == "granted");
  CHECK(broker.counters().withdrawn == 1);
  undelivered(bob);
  CHECK(broker.info("x").holders.at(0).owner == "cat");
}

TEST_CASE_FIXTURE(
    BrokerRig,
    "an entry that reached nobody is undone alone: the owner is still in it as often as it knows") {
  acquire(want("ann"));
  const auto inner = acquire(want("ann"));
  REQUIRE(inner->granted().count == 2);
  undelivered(inner);
  CHECK(broker.info("x").holders.at(0).count == 1);
}

TEST_CASE_FIXTURE(BrokerRig, "permits and sets that reached nobody are given back whole") {
  const auto permits = acquire(want("ann").permits(2, 3));
  const auto set = acquire(want("ann", {"y", "z"}));
  undelivered(permits);
  undelivered(set);
  CHECK(broker.leases().size() == 0);
}

TEST_CASE_FIXTURE(BrokerRig, "a request that reached nobody is done anew when it is asked again") {
  const auto first = acquire(want("ann").called("r"));
  undelivered(first);
  const auto again = acquire(want("ann").called("r"));
  CHECK(again->state() == "granted");
  CHECK(again->granted().token > first->granted().token);
}

TEST_CASE_FIXTURE(
    BrokerRig,
    "what was asked again before it was known that it reached nobody has been heard of, and stays") {
  const auto first = acquire(want("ann").called("r"));
  const auto again = acquire(want("ann").called("r"));
  REQUIRE(again->state() == "replay");
  undelivered(first);
  CHECK(broker.info("x").holders.at(0).owner == "ann");
  CHECK(acquire(want("bob"))->state() == "held");
}

}  // namespace zerosuite::test::broker_undelivered_test
