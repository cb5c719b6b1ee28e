// Release and extension.
#include <doctest/doctest.h>

#include "support/broker_rig.hpp"

namespace zerosuite::test::broker_leases_test {

using namespace std::chrono_literals;

TEST_CASE("a release answers how often its owner is still in, and for how long it was held") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann"));
  rig.acquire(want("ann"));
  rig.pass(3s);
  CHECK(value(rig.release(ann)).count == 1);
  CHECK(rig.engine.kept.at(ann->granted().token).count == 1);
  CHECK(rig.acquire(want("bob"))->state() == "held");
  const auto last = rig.release(ann);
  CHECK(value(last).count == 0);
  CHECK(value(last).held == 3s);
  CHECK_FALSE(value(last).replay);
  CHECK(rig.engine.endings == std::vector{lock::Ending::kReleased});
}

TEST_CASE("a release that was lost on its way back may be sent again") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann"));
  rig.pass(3s);
  rig.release(ann);
  const auto bob = rig.acquire(want("bob"));
  rig.pass(1s);
  const auto again = rig.release(ann);
  CHECK(value(again).replay);
  CHECK(value(again).held == 3s);
  CHECK(rig.broker.check("x", bob->granted().token).valid);
  rig.pass(80s);
  CHECK(outcome(rig.release(ann)) == "NotHeld");
}

TEST_CASE("a release says why it is not the caller's to give back") {
  BrokerRig rig;
  CHECK(outcome(rig.release({"x", "ann", 5})) == "NotHeld");
  const auto ann = rig.acquire(want("ann"));
  const auto token = ann->granted().token;
  const auto not_his = rig.release({"x", "bob", token});
  REQUIRE(outcome(not_his) == "NotOwner");
  CHECK((**not_his).error().text().ends_with(R"( {"holder":"ann"})"));
  CHECK(outcome(rig.release({"x", "bob", 5})) == "NotOwner");
  const auto stale = rig.release({"x", "ann", 5});
  REQUIRE(outcome(stale) == "StaleToken");
  CHECK((**stale).error().text().ends_with(R"( {"token":100})"));
  CHECK(outcome(rig.release({"y", "ann", token})) == "NotHeld");
  CHECK(rig.broker.check("x", token).valid);
}

TEST_CASE("after its lease a hold is gone: its owner hears so, others that somebody has it") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann").leased(1s));
  rig.pass(1s);
  CHECK(outcome(rig.release(ann)) == "LeaseExpired");
  CHECK(outcome(rig.extend(ann, 5s)) == "LeaseExpired");
  rig.acquire(want("bob"));
  CHECK(outcome(rig.extend(ann, 5s)) == "LeaseExpired");
  CHECK(outcome(rig.extend({"x", "cat", ann->granted().token}, 5s)) == "NotOwner");
}

TEST_CASE("an extension makes the lease longer, never shorter") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann").leased(10s));
  CHECK(value(rig.extend(ann, 3s)).remaining == 10s);
  const auto longer = rig.extend(ann, 20s);
  CHECK(value(longer).remaining == 20s);
  CHECK(value(longer).extensions == 2);
  CHECK(rig.engine.kept.at(ann->granted().token).lease == 20s);
  rig.pass(19990ms);
  CHECK(rig.acquire(want("bob"))->state() == "held");
  rig.pass(10ms);
  CHECK(rig.acquire(want("bob"))->state() == "granted");
}

TEST_CASE("of two extensions in flight the longer counts, and is what the engine keeps") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann").leased(10s));
  rig.engine.slow = true;
  const auto longer = rig.extend(ann, 60s);
  const auto shorter = rig.extend(ann, 20s);
  rig.commit_all();
  CHECK(value(longer).remaining == 60s);
  CHECK(value(shorter).remaining == 60s);
  CHECK(rig.engine.kept.at(ann->granted().token).lease == 60s);
}

TEST_CASE("an extension that could not be kept changes nothing") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann").leased(10s));
  rig.engine.trouble = core::Error{core::kStorageError, "full"};
  CHECK(outcome(rig.extend(ann, 60s)) == "StorageError");
  rig.engine.trouble.reset();
  CHECK(value(rig.extend(ann, 5s)).remaining == 10s);
  rig.pass(10s);
  CHECK(rig.acquire(want("bob"))->state() == "granted");
}

TEST_CASE("a lease ends when its timer fires: an extension heard before that is in time") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann").leased(2s));
  const auto bob = rig.acquire(want("bob").waiting(1min));
  rig.stall(5s);
  CHECK(value(rig.extend(ann, 2s)).remaining == 2s);
  rig.timers.advance_to(rig.timers.now());
  CHECK(bob->state() == "");
  rig.pass(2s);
  CHECK(bob->state() == "granted");
}

TEST_CASE("a hold that the engine has lost is not extended, and goes to the next") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann"));
  const auto bob = rig.acquire(want("bob").waiting(1min));
  rig.engine.kept.clear();
  CHECK(outcome(rig.extend(ann, 1min)) == "LeaseExpired");
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

TEST_CASE("an extension that came in time counts, however long it takes to be written") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann").leased(5s));
  const auto bob = rig.acquire(want("bob").waiting(1min));
  rig.engine.slow = true;
  rig.pass(4990ms);
  const auto extended = rig.extend(ann, 10s);
  rig.pass(1s);
  CHECK(bob->state() == "");
  rig.commit_all();
  CHECK(value(extended).remaining == 10s);
  rig.pass(9990ms);
  CHECK(bob->state() == "");
  rig.engine.slow = false;
  rig.pass(10ms);
  CHECK(bob->state() == "granted");
}

TEST_CASE("a lease that passed while its extension failed ends then") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann").leased(5s));
  const auto bob = rig.acquire(want("bob").waiting(1min));
  rig.engine.slow = true;
  rig.engine.trouble = core::Error{core::kStorageError, "full"};
  rig.pass(4990ms);
  const auto extended = rig.extend(ann, 10s);
  rig.pass(1s);
  rig.engine.commit_all();
  CHECK(outcome(extended) == "StorageError");
  rig.engine.trouble.reset();
  rig.engine.slow = false;
  rig.pass(1ms);
  CHECK(bob->state() == "granted");
}

TEST_CASE("an entry that could not be kept is taken out again, with the hold if that was all there was") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann"));
  rig.engine.slow = true;
  rig.engine.trouble = core::Error{core::kStorageError, "full"};
  const auto again = rig.acquire(want("ann"));
  rig.engine.trouble.reset();
  const auto bob = rig.acquire(want("bob").waiting(1min));
  rig.release(ann);
  rig.commit_all();
  CHECK(again->state() == "StorageError");
  CHECK(bob->state() == "granted");
}

TEST_CASE("very many leases that end at once end in pieces, and one that is extended meanwhile does not") {
  BrokerRig rig;
  std::vector<test::Asked> held;
  for (int i = 0; i < 2'000; ++i) held.push_back(rig.acquire(want("ann", {std::to_string(i)}).leased(5s)));
  rig.piece = 10us;
  rig.pass(5s);
  CHECK(rig.broker.leases().size() > 0);
  CHECK(outcome(rig.extend(held.back(), 1h)) == "ok");
  rig.finish();
  CHECK(rig.broker.leases().size() == 1);
  CHECK(rig.broker.counters().expired == 1'999);
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

TEST_CASE("a grant after a wait is kept with its confirmation, and one at once without") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann").leased(1s).confirming(500ms));
  rig.acquire(want("bob").waiting(1min).confirming(2s));
  CHECK(rig.engine.kept.at(ann->granted().token).confirm == 0s);
  rig.pass(1s);
  CHECK(rig.engine.kept.rbegin()->second.confirm == 2s);
  rig.acquire(want("bob"));
  CHECK(rig.engine.kept.rbegin()->second.confirm == 0s);
}

TEST_CASE(
    "what is heard after a pause extends a lease that passed in it, and until then its token is not good") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann").leased(1s));
  const auto bob = rig.acquire(want("bob", {"y"}).leased(1s));
  rig.stall(2s);
  CHECK_FALSE(rig.broker.check("x", ann->granted().token).valid);
  CHECK(rig.broker.check("x", ann->granted().token).current == 0);
  rig.engine.slow = true;
  const auto extended = rig.extend(ann, 5s);
  CHECK(rig.broker.check("x", ann->granted().token).valid);  // heard, though not written yet
  rig.commit_all();
  CHECK(outcome(extended) == "ok");
  CHECK(rig.broker.check("x", ann->granted().token).valid);
  rig.engine.slow = false;
  rig.pass(1ms);
  rig.finish();
  CHECK(outcome(rig.extend(bob, 5s)) == "LeaseExpired");
  CHECK(rig.broker.check("x", ann->granted().token).valid);
}

}  // namespace zerosuite::test::broker_leases_test
