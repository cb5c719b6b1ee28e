// The line before a lock: who is next, and who leaves it.
#include <doctest/doctest.h>

#include "support/broker_rig.hpp"

namespace broker_line_test {

using namespace std::chrono_literals;
using namespace zerosuite;
using test::BrokerRig;
using test::outcome;
using test::value;
using test::want;

TEST_CASE("a lock goes to those who wait, in the order of their coming") {
  BrokerRig rig;
  auto holder = rig.acquire(want("ann"));
  const auto bob = rig.acquire(want("bob").waiting(1min));
  const auto cat = rig.acquire(want("cat").waiting(1min));
  rig.pass(5s);
  rig.release(holder);
  REQUIRE(bob->state() == "granted");
  CHECK(bob->granted().waited == 5s);
  CHECK(cat->state() == "");
  rig.release(bob);
  CHECK(cat->state() == "granted");
}

TEST_CASE("a hold whose lease has passed goes to the next in the same turn") {
  BrokerRig rig;
  rig.acquire(want("ann").leased(2s));
  const auto bob = rig.acquire(want("bob").waiting(1min));
  rig.pass(1990ms);
  CHECK(bob->state() == "");
  rig.timers.advance_to(rig.timers.now() + 10ms);
  CHECK(bob->state() == "granted");
  CHECK(rig.engine.endings == std::vector{lock::Ending::kTaken});
  CHECK(rig.broker.counters().expired == 1);
}

TEST_CASE("who has waited long enough is told so, and who holds it") {
  BrokerRig rig;
  rig.acquire(want("ann").leased(1min));
  const auto bob = rig.acquire(want("bob").waiting(2s));
  rig.pass(1990ms);
  CHECK(bob->state() == "");
  rig.pass(10ms);
  REQUIRE(bob->state() == "timeout");
  CHECK(bob->busy().holder == "ann");
  CHECK(bob->busy().remaining == 58s);
  CHECK(rig.waiting() == 0);
}

TEST_CASE("a waiter whose client is gone is passed over") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann"));
  const auto bob = rig.acquire(want("bob").waiting(1min));
  const auto cat = rig.acquire(want("cat").waiting(1min));
  rig.withdraw(bob);
  CHECK(rig.waiting() == 1);
  rig.release(ann);
  CHECK(cat->state() == "granted");
}

TEST_CASE("a waiter whose client is found gone while it is told leaves the lock to the next at once") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann"));
  const auto bob = rig.acquire(want("bob").waiting(1min).called("r"));
  const auto cat = rig.acquire(want("cat").waiting(1min));
  bob->when_told = [&] { rig.withdraw(bob); };
  rig.release(ann);
  CHECK(bob->state() == "granted");
  CHECK(cat->state() == "granted");
  CHECK(cat->granted().token > bob->granted().token);
  const auto again = rig.acquire(want("bob").waiting(1min).called("r"));
  rig.release(cat);
  CHECK(again->state() == "granted");
}

TEST_CASE("an entry whose client is found gone while it is told is left again") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann"));
  rig.engine.slow = true;
  const auto again = rig.acquire(want("ann"));
  again->when_told = [&] { rig.withdraw(again); };
  rig.engine.commit_all();
  CHECK(again->granted().count == 2);
  rig.engine.slow = false;
  CHECK(value(rig.release(ann)).count == 0);
}

TEST_CASE("what the engine grants to a client that is gone is given back, and goes to the next") {
  BrokerRig rig;
  rig.engine.slow = true;
  const auto ann = rig.acquire(want("ann").called("r"));
  const auto bob = rig.acquire(want("bob").waiting(1min));
  CHECK(ann->state() == "");
  rig.withdraw(ann);
  rig.engine.commit_all();
  CHECK(bob->state() == "granted");
  rig.engine.slow = false;
  rig.release(bob);
  CHECK(rig.acquire(want("ann").called("r"))->state() == "granted");
}

TEST_CASE("a client that is gone takes nothing from its owner's other call") {
  BrokerRig rig;
  rig.engine.slow = true;
  const auto first = rig.acquire(want("ann"));
  const auto second = rig.acquire(want("ann").waiting(1min));
  rig.withdraw(first);
  rig.engine.commit_all();
  REQUIRE(second->state() == "granted");
  CHECK(second->granted().count == 1);
  CHECK(rig.broker.check("x", second->granted().token).valid);
}

TEST_CASE("a line is as long as the limit says, and who asks without waiting does not count") {
  BrokerRig rig({.max_waiters = 1});
  rig.acquire(want("ann"));
  rig.acquire(want("bob").waiting(1min));
  CHECK(outcome([&] { rig.acquire(want("cat").waiting(1min)); }) == "QueueFull");
  CHECK(outcome([&] { rig.enqueue(want("cat")); }) == "QueueFull");
  CHECK(rig.acquire(want("cat"))->state() == "held");
}

TEST_CASE("there are as many names as the limit says, and those in use may be waited for") {
  BrokerRig rig({.max_locks = 2});
  rig.acquire(want("ann", {"x"}));
  CHECK(outcome([&] { rig.acquire(want("bob", {"y", "z"})); }) == "TooManyLocks");
  const auto y = rig.acquire(want("bob", {"y"}));
  CHECK(outcome([&] { rig.acquire(want("cat", {"z"})); }) == "TooManyLocks");
  CHECK(rig.acquire(want("cat", {"y"}))->state() == "held");
  CHECK(rig.acquire(want("bob", {"y"}))->granted().count == 2);
  rig.release(y);
  rig.release(y);
  CHECK(rig.acquire(want("cat", {"z"}))->state() == "granted");
}

TEST_CASE("names that an earlier process left may be waited for, though they are more than the limit") {
  const lock::Claim x = want("ann", {"x"}).claim;
  const lock::Claim y = want("ann", {"y"}).claim;
  BrokerRig rig({.max_locks = 1}, {{x, 50, 8s}, {y, 51, 8s}});
  CHECK(rig.acquire(want("bob", {"x"}).waiting(1min))->state() == "");
  CHECK(outcome([&] { rig.acquire(want("bob", {"z"})); }) == "TooManyLocks");
}

TEST_CASE("a grant after a wait lapses when nobody confirms it") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann").leased(1s));
  const auto bob = rig.acquire(want("bob").waiting(1min).leased(30s).confirming(2s));
  const auto cat = rig.acquire(want("cat").waiting(1min).leased(30s).confirming(2s));
  rig.pass(1s);
  CHECK(bob->granted().lease == 2s);
  rig.pass(2s);
  REQUIRE(cat->state() == "granted");
  CHECK(outcome(rig.extend(cat, 10s)) == "ok");
  rig.pass(9s);
  CHECK(rig.acquire(want("dan"))->state() == "held");
}

TEST_CASE("a grant at once needs no confirmation") {
  BrokerRig rig;
  CHECK(rig.acquire(want("ann").leased(30s).confirming(2s))->granted().lease == 30s);
}

}  // namespace broker_line_test
