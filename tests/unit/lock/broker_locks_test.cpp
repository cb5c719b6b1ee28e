// Who may have a lock: one, one again, or several readers.
#include <doctest/doctest.h>

#include "support/broker_rig.hpp"

namespace zerosuite::test::broker_locks_test {

TEST_CASE_FIXTURE(BrokerRig, "a free lock is granted at once, with a token and its lease") {
  const auto ann = acquire(want("ann").leased(10s));
  REQUIRE(ann->state() == "granted");
  CHECK(ann->granted().token == 100);
  CHECK(ann->granted().lease == 10s);
  CHECK(ann->granted().validity == 9898ms);
  CHECK(ann->granted().count == 1);
  CHECK(ann->granted().names == std::vector<std::string>{"x"});
  CHECK(broker.counters().grants == 1);
}

TEST_CASE_FIXTURE(BrokerRig,
                  "a held lock is refused at once to who does not wait, with who holds it and for how long") {
  acquire(want("ann").leased(10s));
  const auto cat = acquire(want("cat").waiting(1min));
  pass(3s);
  const auto bob = acquire(want("bob"));
  REQUIRE(bob->state() == "held");
  CHECK(bob->busy().holder == "ann");
  CHECK(bob->busy().remaining == 7s);
  CHECK(bob->busy().queue_length == 1);
  CHECK(cat->state() == "");
}

TEST_CASE_FIXTURE(BrokerRig, "two who name no owner are two owners") {
  const auto first = acquire(want(""));
  CHECK(first->granted().owner.starts_with("anonymous-"));
  CHECK(acquire(want(""))->state() == "held");
}

TEST_CASE_FIXTURE(BrokerRig,
                  "who holds a lock enters it again: same token, one more, the longer of the two leases") {
  const auto first = acquire(want("ann").leased(10s));
  pass(4s);
  const auto second = acquire(want("ann").leased(1s));
  REQUIRE(second->state() == "granted");
  CHECK(second->granted().token == first->granted().token);
  CHECK(second->granted().count == 2);
  CHECK(second->granted().lease == 6s);
  CHECK(acquire(want("ann").leased(20s))->granted().lease == 20s);
  CHECK(broker.counters().grants == 1);
  CHECK(broker.counters().reentries == 2);
  CHECK(engine.kept.at(100).count == 3);
  pass(19s);
  CHECK(acquire(want("bob"))->state() == "held");
  pass(1s);
  CHECK(acquire(want("bob"))->state() == "granted");
}

TEST_CASE_FIXTURE(HeldRig, "who does not want to enter twice is refused") {
  const auto again = acquire(want("ann").with([](auto& request) { request.reentrant = false; }));
  CHECK(again->state() == "NotReentrant");
  CHECK(value(release(ann)).count == 0);
}

TEST_CASE("a lock is entered as often as the limit says") {
  BrokerRig rig({.max_entries = 2});
  const auto ann = rig.acquire(want("ann"));
  CHECK(rig.acquire(want("ann"))->granted().count == 2);
  CHECK(rig.acquire(want("ann"))->state() == "ReentrancyLimit");
  CHECK(value(rig.release(ann)).count == 1);
}

TEST_CASE_FIXTURE(BrokerRig, "sets of names that overlap are not entered") {
  acquire(want("ann", {"x", "y"}));
  CHECK(acquire(want("ann", {"x", "y"}))->granted().count == 2);
  CHECK(outcome([&] { acquire(want("ann", {"x"})); }) == "NotReentrant");
  CHECK(outcome([&] { acquire(want("ann", {"w", "y"})); }) == "NotReentrant");
}

TEST_CASE_FIXTURE(BrokerRig, "an owner who waits for the same lock twice enters it twice") {
  const auto bob = acquire(want("bob"));
  const auto first = acquire(want("ann").waiting(1min));
  const auto second = acquire(want("ann").waiting(1min));
  const auto cat = acquire(want("cat").waiting(1min));
  release(bob);
  CHECK(first->granted().count == 1);
  CHECK(second->granted().count == 2);
  CHECK(second->granted().token == first->granted().token);
  CHECK(cat->state() == "");
  release(first);
  release(second);
  CHECK(cat->state() == "granted");
}

TEST_CASE_FIXTURE(
    BrokerRig,
    "an owner who waits for two sets that overlap gets the first and hears that he cannot enter the other") {
  const auto bob = acquire(want("bob"));
  const auto one = acquire(want("ann", {"x"}).waiting(1min));
  const auto both = acquire(want("ann", {"x", "y"}).waiting(1min));
  const auto y = acquire(want("cat", {"y"}).waiting(1min));
  release(bob);
  CHECK(one->state() == "granted");
  CHECK(both->state() == "NotReentrant");
  CHECK(y->state() == "granted");
}

TEST_CASE_FIXTURE(BrokerRig,
                  "a reader who asks again before his grant is kept enters it, and holds it once") {
  engine.slow = true;
  const auto first = acquire(want("ann").reading());
  const auto second = acquire(want("ann").reading().waiting(1min));
  const auto bob = acquire(want("bob").reading().waiting(1min));
  commit_all();
  CHECK(second->granted().token == first->granted().token);
  CHECK(second->granted().count == 2);
  CHECK(bob->state() == "granted");
}

TEST_CASE_FIXTURE(BrokerRig, "readers share a lock, and a writer waits for all of them") {
  const auto ann = acquire(want("ann").reading());
  const auto bob = acquire(want("bob").reading());
  CHECK(bob->state() == "granted");
  CHECK(bob->granted().token > ann->granted().token);
  const auto writer = acquire(want("cat").waiting(1min));
  release(ann);
  CHECK(writer->state() == "");
  release(bob);
  CHECK(writer->state() == "granted");
  CHECK(engine.refused == 0);
}

TEST_CASE_FIXTURE(BrokerRig, "a reader does not overtake a writer who waits") {
  const auto ann = acquire(want("ann").reading());
  const auto writer = acquire(want("cat").waiting(1min));
  CHECK(acquire(want("bob").reading())->state() == "held");
  const auto reader = acquire(want("bob").reading().waiting(1min));
  const auto other = acquire(want("dan").reading().waiting(1min));
  release(ann);
  CHECK(writer->state() == "granted");
  CHECK(reader->state() == "");
  release(writer);
  CHECK(reader->state() == "granted");
  CHECK(other->state() == "granted");
}

TEST_CASE_FIXTURE(BrokerRig, "readers behind a writer who gives up share the lock with those who have it") {
  acquire(want("ann").reading());
  const auto writer = acquire(want("cat").waiting(1s));
  const auto reader = acquire(want("bob").reading().waiting(1min));
  pass(1s);
  CHECK(writer->state() == "timeout");
  CHECK(reader->state() == "granted");
}

TEST_CASE_FIXTURE(BrokerRig, "a reader cannot become a writer by asking") {
  const auto ann = acquire(want("ann").reading());
  CHECK(acquire(want("ann").waiting(1min))->state() == "UpgradeNotAllowed");
  CHECK(value(release(ann)).count == 0);
}

TEST_CASE_FIXTURE(BrokerRig, "a writer who enters to read stays a writer") {
  acquire(want("ann"));
  CHECK(acquire(want("ann").reading())->granted().mode == lock::Mode::kExclusive);
  CHECK(acquire(want("bob").reading())->state() == "held");
}

TEST_CASE_FIXTURE(HeldRig, "a downgrade lets in the readers who wait, in the same turn, and no writer") {
  const auto reader = acquire(want("bob").reading().waiting(1min));
  const auto writer = acquire(want("cat").waiting(1min));
  const auto context = downgrade(ann);
  REQUIRE(outcome(context) == "ok");
  CHECK(std::get<lock::Granted>(value(context)).mode == lock::Mode::kShared);
  CHECK(reader->state() == "granted");
  CHECK(writer->state() == "");
  CHECK(outcome(downgrade(ann)) == "ok");
  CHECK(outcome(downgrade(reader)) == "ok");
  CHECK(engine.kept.at(ann->granted().token).mode == lock::Mode::kShared);
  CHECK(engine.refused == 0);
}

TEST_CASE_FIXTURE(HeldRig, "a downgrade that cannot be kept leaves the writer a writer") {
  engine.trouble = core::Error{core::kStorageError, "full"};
  CHECK(outcome(downgrade(ann)) == "StorageError");
  engine.trouble.reset();
  CHECK(acquire(want("bob").reading())->state() == "held");
}

}  // namespace zerosuite::test::broker_locks_test
