// Release and extension.
#include <doctest/doctest.h>

#include "support/broker_rig.hpp"

namespace zerosuite::test::broker_leases_test {

TEST_CASE_FIXTURE(HeldRig,
                  "a release answers how often its owner is still in, and for how long it was held") {
  acquire(want("ann"));
  pass(3s);
  CHECK(value(release(ann)).count == 1);
  CHECK(engine.kept.at(ann->granted().token).count == 1);
  CHECK(acquire(want("bob"))->state() == "held");
  const auto last = release(ann);
  CHECK(value(last).count == 0);
  CHECK(value(last).held == 3s);
  CHECK_FALSE(value(last).replay);
  CHECK(engine.endings == std::vector{lock::Ending::kReleased});
}

TEST_CASE_FIXTURE(HeldRig, "a release that was lost on its way back may be sent again") {
  pass(3s);
  release(ann);
  const auto bob = acquire(want("bob"));
  pass(1s);
  const auto again = release(ann);
  CHECK(value(again).replay);
  CHECK(value(again).held == 3s);
  CHECK(broker.check("x", bob->granted().token).valid);
  pass(80s);
  CHECK(outcome(release(ann)) == "NotHeld");
}

TEST_CASE_FIXTURE(BrokerRig, "a release says why it is not the caller's to give back") {
  CHECK(outcome(release({"x", "ann", 5})) == "NotHeld");
  const auto ann = acquire(want("ann"));
  const auto token = ann->granted().token;
  const auto not_his = release({"x", "bob", token});
  REQUIRE(outcome(not_his) == "NotOwner");
  CHECK((**not_his).error().text().ends_with(R"( {"holder":"ann"})"));
  CHECK(outcome(release({"x", "bob", 5})) == "NotOwner");
  const auto stale = release({"x", "ann", 5});
  REQUIRE(outcome(stale) == "StaleToken");
  CHECK((**stale).error().text().ends_with(R"( {"token":100})"));
  CHECK(outcome(release({"y", "ann", token})) == "NotHeld");
  CHECK(broker.check("x", token).valid);
}

TEST_CASE_FIXTURE(BrokerRig,
                  "after its lease a hold is gone: its owner hears so, others that somebody has it") {
  const auto ann = acquire(want("ann").leased(1s));
  pass(1s);
  CHECK(outcome(release(ann)) == "LeaseExpired");
  CHECK(outcome(extend(ann, 5s)) == "LeaseExpired");
  acquire(want("bob"));
  CHECK(outcome(extend(ann, 5s)) == "LeaseExpired");
  CHECK(outcome(extend({"x", "cat", ann->granted().token}, 5s)) == "NotOwner");
}

TEST_CASE_FIXTURE(BrokerRig, "an extension makes the lease longer, never shorter") {
  const auto ann = acquire(want("ann").leased(10s));
  CHECK(value(extend(ann, 3s)).remaining == 10s);
  const auto longer = extend(ann, 20s);
  CHECK(value(longer).remaining == 20s);
  CHECK(value(longer).extensions == 2);
  CHECK(engine.kept.at(ann->granted().token).lease == 20s);
  pass(19990ms);
  CHECK(acquire(want("bob"))->state() == "held");
  pass(10ms);
  CHECK(acquire(want("bob"))->state() == "granted");
}

TEST_CASE_FIXTURE(BrokerRig, "of two extensions in flight the longer counts, and is what the engine keeps") {
  const auto ann = acquire(want("ann").leased(10s));
  engine.slow = true;
  const auto longer = extend(ann, 60s);
  const auto shorter = extend(ann, 20s);
  commit_all();
  CHECK(value(longer).remaining == 60s);
  CHECK(value(shorter).remaining == 60s);
  CHECK(engine.kept.at(ann->granted().token).lease == 60s);
}

TEST_CASE_FIXTURE(BrokerRig, "an extension that could not be kept changes nothing") {
  const auto ann = acquire(want("ann").leased(10s));
  engine.trouble = core::Error{core::kStorageError, "full"};
  CHECK(outcome(extend(ann, 60s)) == "StorageError");
  engine.trouble.reset();
  CHECK(value(extend(ann, 5s)).remaining == 10s);
  pass(10s);
  CHECK(acquire(want("bob"))->state() == "granted");
}

TEST_CASE_FIXTURE(BrokerRig, "a lease ends when its timer fires: an extension heard before that is in time") {
  const auto ann = acquire(want("ann").leased(2s));
  const auto bob = acquire(want("bob").waiting(1min));
  stall(5s);
  CHECK(value(extend(ann, 2s)).remaining == 2s);
  timers.advance_to(timers.now());
  CHECK(bob->state() == "");
  pass(2s);
  CHECK(bob->state() == "granted");
}

TEST_CASE_FIXTURE(HeldRig, "a hold that the engine has lost is not extended, and goes to the next") {
  const auto bob = acquire(want("bob").waiting(1min));
  engine.kept.clear();
  CHECK(outcome(extend(ann, 1min)) == "LeaseExpired");
  CHECK(bob->state() == "granted");
}

TEST_CASE("a lock is held for as long as it may be, however often it is extended") {
  BrokerRig rig({.most_held = 10s});
  const auto ann = rig.acquire(want("ann").leased(5s));
  rig.pass(3s);
  CHECK(value(rig.extend(ann, 6s)).remaining == 6s);
  const auto beyond = rig.extend(ann, 8s);
  REQUIRE(outcome(beyond) == "ExtendLimit");
  CHECK((**beyond).error().text().ends_with(R"( {"remaining_ms":6000})"));
  CHECK(value(rig.extend(ann, 7s)).remaining == 7s);
  rig.pass(7s);
  CHECK(outcome([&] { rig.acquire(want("bob").leased(11s)); }) == "InvalidArgument");
  const auto bob = rig.acquire(want("bob").leased(4s));
  rig.pass(3s);
  CHECK(rig.acquire(want("bob").leased(10s))->granted().lease == 7s);
}

TEST_CASE_FIXTURE(BrokerRig, "an extension that came in time counts, however long it takes to be written") {
  const auto ann = acquire(want("ann").leased(5s));
  const auto bob = acquire(want("bob").waiting(1min));
  engine.slow = true;
  pass(4990ms);
  const auto extended = extend(ann, 10s);
  pass(1s);
  CHECK(bob->state() == "");
  commit_all();
  CHECK(value(extended).remaining == 10s);
  pass(9990ms);
  CHECK(bob->state() == "");
  engine.slow = false;
  pass(10ms);
  CHECK(bob->state() == "granted");
}

TEST_CASE_FIXTURE(BrokerRig, "a lease that passed while its extension failed ends then") {
  const auto ann = acquire(want("ann").leased(5s));
  const auto bob = acquire(want("bob").waiting(1min));
  engine.slow = true;
  engine.trouble = core::Error{core::kStorageError, "full"};
  pass(4990ms);
  const auto extended = extend(ann, 10s);
  pass(1s);
  engine.commit_all();
  CHECK(outcome(extended) == "StorageError");
  engine.trouble.reset();
  engine.slow = false;
  pass(1ms);
  CHECK(bob->state() == "granted");
}

TEST_CASE_FIXTURE(
    HeldRig, "an entry that could not be kept is taken out again, with the hold if that was all there was") {
  engine.slow = true;
  engine.trouble = core::Error{core::kStorageError, "full"};
  const auto again = acquire(want("ann"));
  engine.trouble.reset();
  const auto bob = acquire(want("bob").waiting(1min));
  release(ann);
  commit_all();
  CHECK(again->state() == "StorageError");
  CHECK(bob->state() == "granted");
}

TEST_CASE_FIXTURE(
    BrokerRig,
    "very many leases that end at once end in pieces, and one that is extended meanwhile does not") {
  std::vector<Asked> held;
  for (int i = 0; i < 2'000; ++i) held.push_back(acquire(want("ann", {std::to_string(i)}).leased(5s)));
  piece = 10us;
  pass(5s);
  CHECK(broker.leases().size() > 0);
  CHECK(outcome(extend(held.back(), 1h)) == "ok");
  finish();
  CHECK(broker.leases().size() == 1);
  CHECK(broker.counters().expired == 1'999);
}

TEST_CASE("what is not confirmed, or has been held for long, is so after a restart too") {
  lock::LockSpec waited = want("ann").leased(30s).spec;
  waited.confirm = 2s;
  lock::LockSpec old = want("bob", {"y"}).leased(30s).spec;
  old.held = 55s;
  BrokerRig rig({.most_held = 1min}, {{waited, 50, 30s}, {old, 51, 30s}});
  CHECK(rig.broker.check("x", 50).remaining == 2s);
  CHECK(rig.broker.check("y", 51).remaining == 5s);
  CHECK(outcome(rig.extend({"y", "bob", 51}, 10s)) == "ExtendLimit");
  rig.pass(1s);
  CHECK(outcome(rig.extend({"x", "ann", 50}, 30s)) == "ok");
  CHECK(rig.engine.kept.at(50).confirm == 0s);
  CHECK(rig.engine.kept.at(50).held == 1s);
  rig.pass(4s);
  CHECK_FALSE(rig.broker.check("y", 51).valid);
  CHECK(rig.broker.check("x", 50).valid);
}

TEST_CASE_FIXTURE(BrokerRig, "a grant after a wait is kept with its confirmation, and one at once without") {
  const auto ann = acquire(want("ann").leased(1s).confirming(500ms));
  acquire(want("bob").waiting(1min).confirming(2s));
  CHECK(engine.kept.at(ann->granted().token).confirm == 0s);
  pass(1s);
  CHECK(engine.kept.rbegin()->second.confirm == 2s);
  acquire(want("bob"));
  CHECK(engine.kept.rbegin()->second.confirm == 0s);
}

TEST_CASE_FIXTURE(
    BrokerRig,
    "what is heard after a pause extends a lease that passed in it, and until then its token is not good") {
  const auto ann = acquire(want("ann").leased(1s));
  const auto bob = acquire(want("bob", {"y"}).leased(1s));
  stall(2s);
  CHECK_FALSE(broker.check("x", ann->granted().token).valid);
  CHECK(broker.check("x", ann->granted().token).current == 0);
  engine.slow = true;
  const auto extended = extend(ann, 5s);
  CHECK(broker.check("x", ann->granted().token).valid);  // heard, though not written yet
  commit_all();
  CHECK(outcome(extended) == "ok");
  CHECK(broker.check("x", ann->granted().token).valid);
  engine.slow = false;
  pass(1ms);
  finish();
  CHECK(outcome(extend(bob, 5s)) == "LeaseExpired");
  CHECK(broker.check("x", ann->granted().token).valid);
}

}  // namespace zerosuite::test::broker_leases_test
