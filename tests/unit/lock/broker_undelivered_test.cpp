// A grant that its proxy could not deliver is given back.
#include <doctest/doctest.h>

#include "support/broker_rig.hpp"

namespace broker_undelivered_test {

using namespace std::chrono_literals;
using namespace zerosuite;
using test::BrokerRig;
using test::value;
using test::want;

namespace {

// What the owner was granted reached nobody, as its proxy says.
void undelivered(BrokerRig& rig, const test::Asked& asked) {
  rig.undelivered(*asked);
  rig.turn();
}

}  // namespace

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

}  // namespace broker_undelivered_test
