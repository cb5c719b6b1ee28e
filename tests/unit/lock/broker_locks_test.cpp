// Who may have a lock: one, one again, or several readers.
#include <doctest/doctest.h>

#include "support/broker_rig.hpp"

namespace zerosuite::test::broker_locks_test {

using namespace std::chrono_literals;

TEST_CASE("a free lock is granted at once, with a token and its lease") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann").leased(10s));
  REQUIRE(ann->state() == "granted");
  CHECK(ann->granted().token == 100);
  CHECK(ann->granted().lease == 10s);
  CHECK(ann->granted().validity == 9898ms);
  CHECK(ann->granted().count == 1);
  CHECK(ann->granted().names == std::vector<std::string>{"x"});
  CHECK(rig.broker.counters().grants == 1);
}

TEST_CASE("a held lock is refused at once to who does not wait, with who holds it and for how long") {
  BrokerRig rig;
  rig.acquire(want("ann").leased(10s));
  const auto cat = rig.acquire(want("cat").waiting(1min));
  rig.pass(3s);
  const auto bob = rig.acquire(want("bob"));
  REQUIRE(bob->state() == "held");
  CHECK(bob->busy().holder == "ann");
  CHECK(bob->busy().remaining == 7s);
  CHECK(bob->busy().queue_length == 1);
  CHECK(cat->state() == "");
}

TEST_CASE("two who name no owner are two owners") {
  BrokerRig rig;
  const auto first = rig.acquire(want(""));
  CHECK(first->granted().owner.starts_with("anonymous-"));
  CHECK(rig.acquire(want(""))->state() == "held");
}

TEST_CASE("who holds a lock enters it again: same token, one more, the longer of the two leases") {
  BrokerRig rig;
  const auto first = rig.acquire(want("ann").leased(10s));
  rig.pass(4s);
  const auto second = rig.acquire(want("ann").leased(1s));
  REQUIRE(second->state() == "granted");
  CHECK(second->granted().token == first->granted().token);
  CHECK(second->granted().count == 2);
  CHECK(second->granted().lease == 6s);
  CHECK(rig.acquire(want("ann").leased(20s))->granted().lease == 20s);
  CHECK(rig.broker.counters().grants == 1);
  CHECK(rig.broker.counters().reentries == 2);
  CHECK(rig.engine.kept.at(100).count == 3);
  rig.pass(19s);
  CHECK(rig.acquire(want("bob"))->state() == "held");
  rig.pass(1s);
  CHECK(rig.acquire(want("bob"))->state() == "granted");
}

TEST_CASE("who does not want to enter twice is refused") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann"));
  const auto again = rig.acquire(want("ann").with([](auto& request) { request.reentrant = false; }));
  CHECK(again->state() == "NotReentrant");
  CHECK(value(rig.release(ann)).count == 0);
}

TEST_CASE("a lock is entered as often as the limit says") {
  BrokerRig rig({.max_entries = 2});
  const auto ann = rig.acquire(want("ann"));
  CHECK(rig.acquire(want("ann"))->granted().count == 2);
  CHECK(rig.acquire(want("ann"))->state() == "ReentrancyLimit");
  CHECK(value(rig.release(ann)).count == 1);
}

TEST_CASE("sets of names that overlap are not entered") {
  BrokerRig rig;
  rig.acquire(want("ann", {"x", "y"}));
  CHECK(rig.acquire(want("ann", {"x", "y"}))->granted().count == 2);
  CHECK(outcome([&] { rig.acquire(want("ann", {"x"})); }) == "NotReentrant");
  CHECK(outcome([&] { rig.acquire(want("ann", {"w", "y"})); }) == "NotReentrant");
}

TEST_CASE("an owner who waits for the same lock twice enters it twice") {
  BrokerRig rig;
  const auto bob = rig.acquire(want("bob"));
  const auto first = rig.acquire(want("ann").waiting(1min));
  const auto second = rig.acquire(want("ann").waiting(1min));
  const auto cat = rig.acquire(want("cat").waiting(1min));
  rig.release(bob);
  CHECK(first->granted().count == 1);
  CHECK(second->granted().count == 2);
  CHECK(second->granted().token == first->granted().token);
  CHECK(cat->state() == "");
  rig.release(first);
  rig.release(second);
  CHECK(cat->state() == "granted");
}

TEST_CASE(
    "an owner who waits for two sets that overlap gets the first and hears that he cannot enter the other") {
  BrokerRig rig;
  const auto bob = rig.acquire(want("bob"));
  const auto one = rig.acquire(want("ann", {"x"}).waiting(1min));
  const auto both = rig.acquire(want("ann", {"x", "y"}).waiting(1min));
  const auto y = rig.acquire(want("cat", {"y"}).waiting(1min));
  rig.release(bob);
  CHECK(one->state() == "granted");
  CHECK(both->state() == "NotReentrant");
  CHECK(y->state() == "granted");
}

TEST_CASE("a reader who asks again before his grant is kept enters it, and holds it once") {
  BrokerRig rig;
  rig.engine.slow = true;
  const auto first = rig.acquire(want("ann").reading());
  const auto second = rig.acquire(want("ann").reading().waiting(1min));
  const auto bob = rig.acquire(want("bob").reading().waiting(1min));
  rig.commit_all();
  CHECK(second->granted().token == first->granted().token);
  CHECK(second->granted().count == 2);
  CHECK(bob->state() == "granted");
}

TEST_CASE("readers share a lock, and a writer waits for all of them") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann").reading());
  const auto bob = rig.acquire(want("bob").reading());
  CHECK(bob->state() == "granted");
  CHECK(bob->granted().token > ann->granted().token);
  const auto writer = rig.acquire(want("cat").waiting(1min));
  rig.release(ann);
  CHECK(writer->state() == "");
  rig.release(bob);
  CHECK(writer->state() == "granted");
  CHECK(rig.engine.refused == 0);
}

TEST_CASE("a reader does not overtake a writer who waits") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann").reading());
  const auto writer = rig.acquire(want("cat").waiting(1min));
  CHECK(rig.acquire(want("bob").reading())->state() == "held");
  const auto reader = rig.acquire(want("bob").reading().waiting(1min));
  const auto other = rig.acquire(want("dan").reading().waiting(1min));
  rig.release(ann);
  CHECK(writer->state() == "granted");
  CHECK(reader->state() == "");
  rig.release(writer);
  CHECK(reader->state() == "granted");
  CHECK(other->state() == "granted");
}

TEST_CASE("readers behind a writer who gives up share the lock with those who have it") {
  BrokerRig rig;
  rig.acquire(want("ann").reading());
  const auto writer = rig.acquire(want("cat").waiting(1s));
  const auto reader = rig.acquire(want("bob").reading().waiting(1min));
  rig.pass(1s);
  CHECK(writer->state() == "timeout");
  CHECK(reader->state() == "granted");
}

TEST_CASE("a reader cannot become a writer by asking") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann").reading());
  CHECK(rig.acquire(want("ann").waiting(1min))->state() == "UpgradeNotAllowed");
  CHECK(value(rig.release(ann)).count == 0);
}

TEST_CASE("a writer who enters to read stays a writer") {
  BrokerRig rig;
  rig.acquire(want("ann"));
  CHECK(rig.acquire(want("ann").reading())->granted().mode == lock::Mode::kExclusive);
  CHECK(rig.acquire(want("bob").reading())->state() == "held");
}

TEST_CASE("a downgrade lets in the readers who wait, in the same turn, and no writer") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann"));
  const auto reader = rig.acquire(want("bob").reading().waiting(1min));
  const auto writer = rig.acquire(want("cat").waiting(1min));
  const auto context = rig.downgrade(ann);
  REQUIRE(outcome(context) == "ok");
  CHECK(std::get<lock::Granted>(value(context)).mode == lock::Mode::kShared);
  CHECK(reader->state() == "granted");
  CHECK(writer->state() == "");
  CHECK(outcome(rig.downgrade(ann)) == "ok");
  CHECK(outcome(rig.downgrade(reader)) == "ok");
  CHECK(rig.engine.kept.at(ann->granted().token).mode == lock::Mode::kShared);
  CHECK(rig.engine.refused == 0);
}

TEST_CASE("a downgrade that cannot be kept leaves the writer a writer") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann"));
  rig.engine.trouble = core::Error{core::kStorageError, "full"};
  CHECK(outcome(rig.downgrade(ann)) == "StorageError");
  rig.engine.trouble.reset();
  CHECK(rig.acquire(want("bob").reading())->state() == "held");
}

}  // namespace zerosuite::test::broker_locks_test
