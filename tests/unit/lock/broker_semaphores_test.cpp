// Semaphores: permits instead of holders.
#include <doctest/doctest.h>

#include "support/broker_rig.hpp"

namespace zerosuite::test::broker_semaphores_test {

using namespace std::chrono_literals;

TEST_CASE("permits are given until the limit, and the next waits for as many as he needs") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann").permits(2, 3));
  CHECK(ann->granted().available == 1);
  const auto bob = rig.acquire(want("bob").permits(1, 3));
  CHECK(bob->granted().available == 0);
  const auto cat = rig.acquire(want("cat").permits(2, 3).waiting(1min));
  rig.release(bob);
  CHECK(cat->state() == "");
  rig.release(ann);
  CHECK(cat->state() == "granted");
  CHECK(cat->granted().available == 1);
  CHECK(rig.engine.refused == 0);
}

TEST_CASE("a small claim does not overtake a large one that waits") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann").permits(2, 3));
  const auto large = rig.acquire(want("bob").permits(3, 3).waiting(1min));
  CHECK(rig.acquire(want("cat").permits(1, 3))->state() == "held");
  rig.release(ann);
  CHECK(large->state() == "granted");
}

TEST_CASE("one owner may hold permits several times, each with a token of its own") {
  BrokerRig rig;
  const auto first = rig.acquire(want("ann").permits(1, 2));
  const auto second = rig.acquire(want("ann").permits(1, 2));
  CHECK(second->granted().token > first->granted().token);
  CHECK(second->granted().count == 1);
  CHECK(rig.acquire(want("ann").permits(1, 2))->state() == "held");
  CHECK(value(rig.release(first)).count == 0);
  CHECK(rig.acquire(want("bob").permits(1, 2))->state() == "granted");
}

TEST_CASE("all who use a semaphore agree on its limit, as long as anybody does") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann").permits(1, 2));
  CHECK(outcome([&] { rig.acquire(want("bob").permits(1, 3)); }) == "LimitMismatch");
  rig.release(ann);
  CHECK(rig.acquire(want("bob").permits(1, 3))->state() == "granted");
}

TEST_CASE("a name is a lock or a semaphore, not both at a time") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann", {"x"}));
  const auto bob = rig.acquire(want("bob", {"s"}).permits(1, 2));
  CHECK(outcome([&] { rig.acquire(want("cat", {"x"}).permits(1, 1)); }) == "KindMismatch");
  CHECK(outcome([&] { rig.acquire(want("cat", {"s"})); }) == "KindMismatch");
  lock::HoldKey key = test::key_of(ann);
  key.kind = lock::HoldKey::Kind::kSemaphore;
  CHECK(outcome(rig.release(key)) == "KindMismatch");
  key = test::key_of(bob);
  key.kind = lock::HoldKey::Kind::kLock;
  CHECK(outcome(rig.release(key)) == "KindMismatch");
  key.kind = lock::HoldKey::Kind::kSemaphore;
  CHECK(outcome(rig.release(key)) == "ok");
}

TEST_CASE("permits that together pass what a number can hold are not given") {
  BrokerRig rig;
  constexpr std::uint32_t kMost = 4'000'000'000;
  rig.acquire(want("ann").permits(3'000'000'000, kMost));
  CHECK(rig.acquire(want("bob").permits(3'000'000'000, kMost))->state() == "held");
  CHECK(rig.acquire(want("bob").permits(1'000'000'000, kMost))->state() == "granted");
}

}  // namespace zerosuite::test::broker_semaphores_test
