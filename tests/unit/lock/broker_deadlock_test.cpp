// Whoever would wait for himself through others is told so, and the others go on.
#include <doctest/doctest.h>

#include "support/broker_rig.hpp"

namespace broker_deadlock_test {

using namespace std::chrono_literals;
using namespace zerosuite;
using test::BrokerRig;
using test::outcome;
using test::want;

TEST_CASE("the one who closes a circle of two hears so, with the circle, and the other gets his lock") {
  BrokerRig rig;
  rig.acquire(want("ann", {"x"}));
  const auto y = rig.acquire(want("bob", {"y"}));
  const auto ann = rig.acquire(want("ann", {"y"}).waiting(1min));
  const auto bob = rig.acquire(want("bob", {"x"}).waiting(1min));
  REQUIRE(bob->state() == "Deadlock");
  CHECK(bob->error().message.ends_with(
      R"( {"cycle":[{"owner":"bob","name":"x"},{"owner":"ann","name":"y"}]})"));
  CHECK(rig.broker.counters().deadlocks == 1);
  CHECK(ann->state() == "");
  rig.release(y);
  CHECK(ann->state() == "granted");
}

TEST_CASE("who does not wait is never told of a circle") {
  BrokerRig rig;
  rig.acquire(want("ann", {"x"}));
  rig.acquire(want("bob", {"y"}));
  rig.acquire(want("ann", {"y"}).waiting(1min));
  CHECK(rig.acquire(want("bob", {"x"}))->state() == "held");
}

TEST_CASE("a circle of many is found, and none before it closes") {
  BrokerRig rig;
  constexpr int kMany = 50;
  const auto text = [](int i) { return std::to_string(i % kMany); };
  for (int i = 0; i < kMany; ++i) rig.acquire(want("owner" + text(i), {"lock" + text(i)}));
  for (int i = 0; i < kMany - 1; ++i) {
    CHECK(rig.acquire(want("owner" + text(i), {"lock" + text(i + 1)}).waiting(1min))->state() == "");
  }
  const auto last = rig.acquire(want("owner" + text(kMany - 1), {"lock0"}).waiting(1min));
  REQUIRE(last->state() == "Deadlock");
  CHECK(last->error().message.find("owner25 waits for \"lock26\"") != std::string::npos);
  CHECK(rig.waiting() == kMany - 1);
}

TEST_CASE("a ticket closes a circle like a call") {
  BrokerRig rig;
  rig.acquire(want("ann", {"x"}));
  rig.acquire(want("bob", {"y"}));
  rig.enqueue(want("ann", {"y"}));
  CHECK(rig.enqueue(want("bob", {"x"}))->state() == "Deadlock");
}

TEST_CASE("a writer who waits for readers waits for each of them") {
  BrokerRig rig;
  rig.acquire(want("ann", {"x"}).reading());
  rig.acquire(want("bob", {"x"}).reading());
  rig.acquire(want("cat", {"y"}));
  rig.acquire(want("bob", {"y"}).waiting(1min));
  CHECK(rig.acquire(want("cat", {"x"}).waiting(1min))->state() == "Deadlock");
}

TEST_CASE("a circle goes through places in line: a reader behind a writer waits for him") {
  BrokerRig rig;
  rig.acquire(want("ann", {"x"}).reading());
  rig.acquire(want("cat", {"y"}));
  rig.acquire(want("bob", {"z"}));
  CHECK(rig.acquire(want("cat", {"x", "z"}).waiting(1min))->state() == "");
  rig.acquire(want("dan", {"y"}).waiting(1min));
  CHECK(rig.acquire(want("bob", {"x"}).reading().waiting(1min))->state() == "Deadlock");
}

TEST_CASE("a set waits for all of its names") {
  BrokerRig rig;
  rig.acquire(want("ann", {"x"}));
  rig.acquire(want("bob", {"y"}));
  rig.acquire(want("cat", {"z"}));
  rig.acquire(want("ann", {"y", "z"}).waiting(1min));
  CHECK(rig.acquire(want("cat", {"x"}).waiting(1min))->state() == "Deadlock");
  CHECK(rig.acquire(want("bob", {"x"}).waiting(1min))->state() == "Deadlock");
  CHECK(rig.acquire(want("dan", {"x"}).waiting(1min))->state() == "");
}

TEST_CASE("waiting for permits is no circle: whoever gives some back will do") {
  BrokerRig rig;
  rig.acquire(want("ann", {"s"}).permits(1, 2));
  rig.acquire(want("bob", {"s"}).permits(1, 2));
  rig.acquire(want("ann", {"x"}));
  rig.acquire(want("bob", {"x"}).waiting(1min));
  CHECK(rig.acquire(want("ann", {"s"}).permits(1, 2).waiting(1min))->state() == "");
}

TEST_CASE("an owner does not wait for himself") {
  BrokerRig rig;
  rig.acquire(want("bob", {"x"}));
  rig.acquire(want("ann", {"y"}));
  CHECK(rig.acquire(want("ann", {"x"}).waiting(1min))->state() == "");
  CHECK(rig.acquire(want("ann", {"x"}).waiting(1min))->state() == "");
}

TEST_CASE("readers of the same lock do not wait for each other") {
  BrokerRig rig;
  rig.acquire(want("cat", {"x"}).reading());
  rig.acquire(want("ann", {"y"}));
  const auto w = rig.acquire(want("dan", {"w"}));
  const auto set = rig.acquire(want("ann", {"w", "x"}).reading().waiting(1min));
  CHECK(rig.acquire(want("cat", {"y"}).waiting(1min))->state() == "");
  rig.release(w);
  CHECK(set->state() == "granted");
}

TEST_CASE("a reader behind a reader waits for that one's place, not for all that he waits for") {
  BrokerRig rig;
  const auto writer = rig.acquire(want("cat", {"n"}));
  rig.acquire(want("bob", {"m"}));
  rig.acquire(want("ann", {"n"}).reading().waiting(1min));
  rig.acquire(want("ann", {"m"}).waiting(1min));
  const auto bob = rig.acquire(want("bob", {"n"}).reading().waiting(1min));
  CHECK(bob->state() == "");
  rig.release(writer);
  CHECK(bob->state() == "granted");
}

TEST_CASE("a reader behind a set of readers waits for all that the set waits for") {
  BrokerRig rig;
  rig.acquire(want("cat", {"n"}));
  rig.acquire(want("bob", {"m"}));
  rig.acquire(want("ann", {"m", "n"}).reading().waiting(1min));
  CHECK(rig.acquire(want("bob", {"n"}).reading().waiting(1min))->state() == "Deadlock");
}

TEST_CASE("a long line of owners with locks of their own is no circle") {
  BrokerRig rig;
  rig.acquire(want("ann", {"x"}));
  for (int i = 0; i < 10'000; ++i) {
    const std::string owner = std::to_string(i);
    rig.acquire(want(owner, {"of " + owner}));
    rig.acquire(want(owner, {"x"}).waiting(1min));
  }
  CHECK(rig.waiting() == 10'000);
  CHECK(rig.acquire(want("ann", {"of 7"}).waiting(1min))->state() == "Deadlock");
}

}  // namespace broker_deadlock_test
