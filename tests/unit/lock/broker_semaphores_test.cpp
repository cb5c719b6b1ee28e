// Semaphores: permits instead of holders.
#include <doctest/doctest.h>

#include "support/broker_rig.hpp"

namespace zerosuite::test::broker_semaphores_test {

TEST_CASE_FIXTURE(BrokerRig,
                  "permits are given until the limit, and the next waits for as many as he needs") {
  const auto ann = acquire(want("ann").permits(2, 3));
  CHECK(ann->granted().available == 1);
  const auto bob = acquire(want("bob").permits(1, 3));
  CHECK(bob->granted().available == 0);
  const auto cat = acquire(want("cat").permits(2, 3).waiting(1min));
  release(bob);
  CHECK(cat->state() == "");
  release(ann);
  CHECK(cat->state() == "granted");
  CHECK(cat->granted().available == 1);
  CHECK(engine.refused == 0);
}

TEST_CASE_FIXTURE(BrokerRig, "a small claim does not overtake a large one that waits") {
  const auto ann = acquire(want("ann").permits(2, 3));
  const auto large = acquire(want("bob").permits(3, 3).waiting(1min));
  CHECK(acquire(want("cat").permits(1, 3))->state() == "held");
  release(ann);
  CHECK(large->state() == "granted");
}

TEST_CASE_FIXTURE(BrokerRig, "one owner may hold permits several times, each with a token of its own") {
  const auto first = acquire(want("ann").permits(1, 2));
  const auto second = acquire(want("ann").permits(1, 2));
  CHECK(second->granted().token > first->granted().token);
  CHECK(second->granted().count == 1);
  CHECK(acquire(want("ann").permits(1, 2))->state() == "held");
  CHECK(value(release(first)).count == 0);
  CHECK(acquire(want("bob").permits(1, 2))->state() == "granted");
}

TEST_CASE_FIXTURE(BrokerRig, "all who use a semaphore agree on its limit, as long as anybody does") {
  const auto ann = acquire(want("ann").permits(1, 2));
  CHECK(outcome([&] { acquire(want("bob").permits(1, 3)); }) == "LimitMismatch");
  release(ann);
  CHECK(acquire(want("bob").permits(1, 3))->state() == "granted");
}

TEST_CASE_FIXTURE(BrokerRig, "a name is a lock or a semaphore, not both at a time") {
  const auto ann = acquire(want("ann", {"x"}));
  const auto bob = acquire(want("bob", {"s"}).permits(1, 2));
  CHECK(outcome([&] { acquire(want("cat", {"x"}).permits(1, 1)); }) == "KindMismatch");
  CHECK(outcome([&] { acquire(want("cat", {"s"})); }) == "KindMismatch");
  lock::HoldKey key = key_of(ann);
  key.kind = lock::HoldKey::Kind::kSemaphore;
  CHECK(outcome(release(key)) == "KindMismatch");
  key = key_of(bob);
  key.kind = lock::HoldKey::Kind::kLock;
  CHECK(outcome(release(key)) == "KindMismatch");
  key.kind = lock::HoldKey::Kind::kSemaphore;
  CHECK(outcome(release(key)) == "ok");
}

TEST_CASE_FIXTURE(BrokerRig, "permits that together pass what a number can hold are not given") {
  constexpr std::uint32_t kMost = 4'000'000'000;
  acquire(want("ann").permits(3'000'000'000, kMost));
  CHECK(acquire(want("bob").permits(3'000'000'000, kMost))->state() == "held");
  CHECK(acquire(want("bob").permits(1'000'000'000, kMost))->state() == "granted");
}

// Several names taken together.

TEST_CASE_FIXTURE(BrokerRig, "a set is granted whole, with one token") {
  const auto ann = acquire(want("ann", {"x", "y"}));
  REQUIRE(ann->state() == "granted");
  CHECK(broker.check("x", ann->granted().token).valid);
  CHECK(broker.check("y", ann->granted().token).valid);
  CHECK(acquire(want("bob", {"y"}))->state() == "held");
}

TEST_CASE_FIXTURE(BrokerRig, "a set waits without holding what is free of it") {
  const auto ann = acquire(want("ann", {"x"}));
  const auto set = acquire(want("bob", {"x", "y"}).waiting(1min));
  CHECK_FALSE(broker.check("y", 0).current != 0);
  release(ann);
  CHECK(set->state() == "granted");
  CHECK(broker.check("y", set->granted().token).valid);
}

TEST_CASE_FIXTURE(BrokerRig, "nobody overtakes a set on any of its names") {
  const auto ann = acquire(want("ann", {"x"}));
  const auto set = acquire(want("bob", {"x", "y"}).waiting(1min));
  const auto cat = acquire(want("cat", {"y"}).waiting(1min));
  CHECK(cat->state() == "");
  withdraw(set);
  CHECK(cat->state() == "granted");
  CHECK(acquire(want("dan", {"x"}))->state() == "held");
  release(ann);
}

TEST_CASE_FIXTURE(BrokerRig, "a set is granted when the last of its names is first in line") {
  const auto x = acquire(want("ann", {"x"}));
  const auto y = acquire(want("ann", {"y"}));
  const auto before = acquire(want("bob", {"y"}).waiting(1min));
  const auto set = acquire(want("cat", {"x", "y"}).waiting(1min));
  const auto behind = acquire(want("dan", {"x"}).waiting(1min));
  release(x);
  release(y);
  CHECK(before->state() == "granted");
  CHECK(set->state() == "");
  release(before);
  CHECK(set->state() == "granted");
  CHECK(behind->state() == "");
  release_many("cat", {{"x", set->granted().token}, {"y", set->granted().token}});
  CHECK(behind->state() == "granted");
}

TEST_CASE_FIXTURE(
    BrokerRig, "a set does not overtake another that waits for one of its names, though the name is free") {
  const auto x = acquire(want("ann", {"x"}));
  const auto z = acquire(want("bob", {"z"}));
  const auto before = acquire(want("cat", {"y", "z"}).waiting(1min));
  const auto behind = acquire(want("dan", {"x", "y"}).waiting(1min));
  release(x);
  CHECK(behind->state() == "");
  release(z);
  CHECK(before->state() == "granted");
  CHECK(behind->state() == "");
}

TEST_CASE_FIXTURE(BrokerRig, "a set is given back whole, or not at all") {
  const auto token = acquire(want("ann", {"x", "y"}))->granted().token;
  CHECK(outcome(release({"x", "ann", token})) == "InvalidArgument");
  CHECK(outcome([&] { release_many("ann", {{"y", token}}); }) == "InvalidArgument");
  CHECK(outcome([&] {
          release_many("ann", {{"x", token}, {"y", token}, {"z", token}});
        }) == "InvalidArgument");
  CHECK(broker.check("x", token).valid);
  const auto released = release_many("ann", {{"y", token}, {"x", token}});
  CHECK(value(released).done == std::vector<std::string>{"x", "y"});
  CHECK(acquire(want("bob", {"x"}))->state() == "granted");
  CHECK(acquire(want("bob", {"y"}))->state() == "granted");
}

TEST_CASE_FIXTURE(BrokerRig, "a batch of releases does what it can, and says what it could not") {
  const auto mine = acquire(want("ann", {"x"}))->granted().token;
  const auto his = acquire(want("bob", {"y"}))->granted().token;
  const auto released = release_many("ann", {{"x", mine}, {"y", his}, {"z", 5}});
  CHECK(value(released).done == std::vector<std::string>{"x"});
  REQUIRE(value(released).missed.size() == 2);
  CHECK(value(released).missed[0].error.name == "NotHeld");
  CHECK(value(released).missed[1].name == "y");
  CHECK(value(released).missed[1].token == his);
  CHECK(value(released).missed[1].error.name == "NotOwner");
  CHECK(value(release_many("ann", {})).done.empty());
}

TEST_CASE_FIXTURE(BrokerRig, "a batch of extensions does what it can, and says what is lost") {
  const auto short_one = acquire(want("ann", {"x"}).leased(1s))->granted().token;
  const auto set = acquire(want("ann", {"y", "z"}).leased(5s))->granted().token;
  pass(2s);
  const auto renewed = answered<lock::BatchResult>([&](auto done) {
    broker.renew("ann", {{"x", short_one}, {"y", set}, {"z", set}}, 20s, std::move(done));
  });
  CHECK(value(renewed).done == std::vector<std::string>{"y", "z"});
  REQUIRE(value(renewed).missed.size() == 1);
  CHECK(value(renewed).missed[0].error.name == "LeaseExpired");
  CHECK(broker.check("z", set).remaining == 20s);
}

}  // namespace zerosuite::test::broker_semaphores_test
