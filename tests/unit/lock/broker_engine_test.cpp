// The broker between its clients and an engine that fails, waits or knows better; and the operator.
#include <doctest/doctest.h>

#include "support/broker_rig.hpp"

namespace zerosuite::test::broker_engine_test {

const core::Error kFull{core::kStorageError, "full"};

TEST_CASE_FIXTURE(BrokerRig, "what the engine cannot keep is not granted, and leaves nothing behind") {
  engine.trouble = kFull;
  const auto ann = acquire(want("ann", {"x", "y"}));
  CHECK(ann->state() == "StorageError");
  CHECK(broker.table().names().empty());
  CHECK(broker.table().find_owner("ann") == nullptr);
}

TEST_CASE_FIXTURE(BrokerRig,
                  "the next in line is tried when the engine could not keep the grant of the first") {
  engine.slow = true;
  engine.trouble = kFull;
  const auto ann = acquire(want("ann"));
  engine.trouble.reset();
  const auto bob = acquire(want("bob").waiting(1min));
  CHECK(bob->state() == "");
  commit_all();
  CHECK(ann->state() == "StorageError");
  CHECK(bob->state() == "granted");
}

TEST_CASE_FIXTURE(BrokerRig, "while a commit is in flight its names are taken") {
  engine.slow = true;
  const auto ann = acquire(want("ann").leased(5s));
  const auto bob = acquire(want("bob"));
  REQUIRE(bob->state() == "held");
  CHECK(bob->busy().holder == "ann");
  CHECK(bob->busy().remaining == 5s);
  CHECK(broker.info("x").holders.empty());
  pass(3s);
  commit_all();
  CHECK(ann->granted().lease == 5s);
}

TEST_CASE_FIXTURE(BrokerRig,
                  "who finds a name held elsewhere waits at the head, and is tried again when it is free") {
  engine.elsewhere = {"x"};
  const auto ann = acquire(want("ann").waiting(1min));
  const auto bob = acquire(want("bob").waiting(1min));
  CHECK(ann->state() == "");
  CHECK(engine.refused == 1);
  free("x");
  CHECK(ann->state() == "granted");
  CHECK(bob->state() == "");
}

TEST_CASE_FIXTURE(BrokerRig, "readers who find a name held elsewhere come back in their old order") {
  engine.slow = true;
  engine.elsewhere = {"x"};
  const auto ann = acquire(want("ann").reading().waiting(1min));
  const auto bob = acquire(want("bob").reading().waiting(1min));
  acquire(want("cat").waiting(1min));
  commit_all();
  const auto waiters = broker.info("x").waiters;
  REQUIRE(waiters.size() == 3);
  CHECK(waiters[0].owner == "ann");
  CHECK(waiters[1].owner == "bob");
  CHECK(waiters[2].owner == "cat");
}

TEST_CASE_FIXTURE(
    BrokerRig, "who does not wait for a name held elsewhere hears so, and who waits until his time is over") {
  engine.elsewhere = {"x"};
  const auto ann = acquire(want("ann"));
  REQUIRE(ann->state() == "held");
  CHECK(ann->busy().holder == "");
  CHECK(broker.table().names().empty());
  const auto bob = acquire(want("bob").waiting(2s));
  pass(2s);
  CHECK(bob->state() == "timeout");
  engine.elsewhere.clear();
  CHECK(acquire(want("cat"))->state() == "granted");
}

TEST_CASE_FIXTURE(BrokerRig, "a ticket for a name held elsewhere is a place in line") {
  engine.elsewhere = {"x"};
  const auto ann = enqueue(want("ann"));
  REQUIRE(ann->state() == "queued");
  free("x");
  CHECK(wait(ann->busy().ticket, 0s)->state() == "granted");
}

TEST_CASE_FIXTURE(
    HeldRig, "a broker that drains grants nothing to who waits or comes, and takes back what is released") {
  const auto bob = acquire(want("bob").waiting(1min));
  const auto ticket = enqueue(want("cat"));
  drain();
  CHECK(broker.acquires().draining());
  CHECK(bob->state() == "ShuttingDown");
  CHECK(waiting() == 0);
  CHECK(outcome([&] { acquire(want("dan", {"y"})); }) == "ShuttingDown");
  CHECK(outcome([&] { enqueue(want("dan", {"y"})); }) == "ShuttingDown");
  CHECK(outcome(extend(ann, 1min)) == "ok");
  CHECK(value(release(ann)).count == 0);
}

TEST_CASE_FIXTURE(BrokerRig, "who is asked for while the broker begins to drain does not go back in line") {
  engine.slow = true;
  engine.elsewhere = {"x"};
  const auto ann = acquire(want("ann").waiting(1min));
  drain();
  commit_all();
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

TEST_CASE_FIXTURE(BrokerRig,
                  "an operator ends all holds of a name, and its owners and the next in line hear so") {
  const auto watcher = watch("");
  const auto ann = acquire(want("ann").reading());
  const auto bob = acquire(want("bob").reading());
  const auto cat = acquire(want("cat").waiting(1min));
  const lock::Revoked revoked = force_release("x", "maintenance");
  CHECK(revoked.released == 2);
  CHECK(revoked.token > bob->granted().token);
  REQUIRE(cat->state() == "granted");
  CHECK(cat->granted().token >= revoked.token);
  CHECK(watcher->events.at(2).text == "maintenance");
  CHECK(outcome(release(ann)) == "StaleToken");
  CHECK(broker.counters().revoked == 2);
  CHECK(force_release("free", "").released == 0);
  CHECK(outcome([&] { force_release("", ""); }) == "InvalidArgument");
}

}  // namespace zerosuite::test::broker_engine_test
