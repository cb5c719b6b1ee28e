// The broker between its clients and an engine that fails, waits or knows better; and the operator.
#include <doctest/doctest.h>

#include "support/broker_rig.hpp"

namespace zerosuite::test::broker_engine_test {

using namespace std::chrono_literals;

const core::Error kFull{core::kStorageError, "full"};

TEST_CASE("what the engine cannot keep is not granted, and leaves nothing behind") {
  BrokerRig rig;
  rig.engine.trouble = kFull;
  const auto ann = rig.acquire(want("ann", {"x", "y"}));
  CHECK(ann->state() == "StorageError");
  CHECK(rig.broker.table().names().empty());
  CHECK(rig.broker.table().find_owner("ann") == nullptr);
}

TEST_CASE("the next in line is tried when the engine could not keep the grant of the first") {
  BrokerRig rig;
  rig.engine.slow = true;
  rig.engine.trouble = kFull;
  const auto ann = rig.acquire(want("ann"));
  rig.engine.trouble.reset();
  const auto bob = rig.acquire(want("bob").waiting(1min));
  CHECK(bob->state() == "");
  rig.commit_all();
  CHECK(ann->state() == "StorageError");
  CHECK(bob->state() == "granted");
}

TEST_CASE("while a commit is in flight its names are taken") {
  BrokerRig rig;
  rig.engine.slow = true;
  const auto ann = rig.acquire(want("ann").leased(5s));
  const auto bob = rig.acquire(want("bob"));
  REQUIRE(bob->state() == "held");
  CHECK(bob->busy().holder == "ann");
  CHECK(bob->busy().remaining == 5s);
  CHECK(rig.broker.info("x").holders.empty());
  rig.pass(3s);
  rig.commit_all();
  CHECK(ann->granted().lease == 5s);
}

TEST_CASE("who finds a name held elsewhere waits at the head, and is tried again when it is free") {
  BrokerRig rig;
  rig.engine.elsewhere = {"x"};
  const auto ann = rig.acquire(want("ann").waiting(1min));
  const auto bob = rig.acquire(want("bob").waiting(1min));
  CHECK(ann->state() == "");
  CHECK(rig.engine.refused == 1);
  rig.free("x");
  CHECK(ann->state() == "granted");
  CHECK(bob->state() == "");
}

TEST_CASE("readers who find a name held elsewhere come back in their old order") {
  BrokerRig rig;
  rig.engine.slow = true;
  rig.engine.elsewhere = {"x"};
  const auto ann = rig.acquire(want("ann").reading().waiting(1min));
  const auto bob = rig.acquire(want("bob").reading().waiting(1min));
  rig.acquire(want("cat").waiting(1min));
  rig.commit_all();
  const auto waiters = rig.broker.info("x").waiters;
  REQUIRE(waiters.size() == 3);
  CHECK(waiters[0].owner == "ann");
  CHECK(waiters[1].owner == "bob");
  CHECK(waiters[2].owner == "cat");
}

TEST_CASE("who does not wait for a name held elsewhere hears so, and who waits until his time is over") {
  BrokerRig rig;
  rig.engine.elsewhere = {"x"};
  const auto ann = rig.acquire(want("ann"));
  REQUIRE(ann->state() == "held");
  CHECK(ann->busy().holder == "");
  CHECK(rig.broker.table().names().empty());
  const auto bob = rig.acquire(want("bob").waiting(2s));
  rig.pass(2s);
  CHECK(bob->state() == "timeout");
  rig.engine.elsewhere.clear();
  CHECK(rig.acquire(want("cat"))->state() == "granted");
}

TEST_CASE("a ticket for a name held elsewhere is a place in line") {
  BrokerRig rig;
  rig.engine.elsewhere = {"x"};
  const auto ann = rig.enqueue(want("ann"));
  REQUIRE(ann->state() == "queued");
  rig.free("x");
  CHECK(rig.wait(ann->busy().ticket, 0s)->state() == "granted");
}

TEST_CASE("a broker that drains grants nothing to who waits or comes, and takes back what is released") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann"));
  const auto bob = rig.acquire(want("bob").waiting(1min));
  const auto ticket = rig.enqueue(want("cat"));
  rig.drain();
  CHECK(rig.broker.acquires().draining());
  CHECK(bob->state() == "ShuttingDown");
  CHECK(rig.waiting() == 0);
  CHECK(outcome([&] { rig.acquire(want("dan", {"y"})); }) == "ShuttingDown");
  CHECK(outcome([&] { rig.enqueue(want("dan", {"y"})); }) == "ShuttingDown");
  CHECK(outcome(rig.extend(ann, 1min)) == "ok");
  CHECK(value(rig.release(ann)).count == 0);
}

TEST_CASE("who is asked for while the broker begins to drain does not go back in line") {
  BrokerRig rig;
  rig.engine.slow = true;
  rig.engine.elsewhere = {"x"};
  const auto ann = rig.acquire(want("ann").waiting(1min));
  rig.drain();
  rig.commit_all();
  CHECK(ann->state() == "ShuttingDown");
}

TEST_CASE("an engine that recovers grants nothing new, and what it knows of is as before") {
  BrokerRig rig({}, {{want("ann").called("r").spec, 50, 8s}});
  rig.engine.recovers_in = 4s;
  const auto refused = [&](const lock::Request& request) {
    try {
      rig.acquire(request);
    } catch (const core::Failure& failure) {
      return failure.name() + failure.what();
    }
    return std::string();
  };
  const std::string error = refused(want("bob", {"y"}));
  CHECK(error.starts_with("Recovering"));
  CHECK(error.ends_with(R"( {"retry_after_ms":4000})"));
  CHECK(outcome(rig.extend({"y", "bob", 3}, 1s)) == "Recovering");
  CHECK(outcome(rig.extend({"x", "ann", 50}, 10s)) == "ok");
  CHECK(rig.acquire(want("ann").called("r"))->state() == "replay");
  CHECK(rig.acquire(want("ann"))->granted().count == 2);
}

TEST_CASE("an operator ends all holds of a name, and its owners and the next in line hear so") {
  BrokerRig rig;
  const auto watcher = rig.watch("");
  const auto ann = rig.acquire(want("ann").reading());
  const auto bob = rig.acquire(want("bob").reading());
  const auto cat = rig.acquire(want("cat").waiting(1min));
  const lock::Revoked revoked = rig.force_release("x", "maintenance");
  CHECK(revoked.released == 2);
  CHECK(revoked.token > bob->granted().token);
  REQUIRE(cat->state() == "granted");
  CHECK(cat->granted().token >= revoked.token);
  CHECK(watcher->events.at(2).text == "maintenance");
  CHECK(outcome(rig.release(ann)) == "StaleToken");
  CHECK(rig.broker.counters().revoked == 2);
  CHECK(rig.force_release("free", "").released == 0);
  CHECK(outcome([&] { rig.force_release("", ""); }) == "InvalidArgument");
}

}  // namespace zerosuite::test::broker_engine_test
