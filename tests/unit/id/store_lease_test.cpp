// What every store must do with worker ids.
#include <doctest/doctest.h>

#include <set>
#include <string>

#include "support/store_rigs.hpp"

namespace zerosuite::test::store_lease_test {

using namespace std::chrono_literals;
using id::Claim, id::Lease;

TEST_CASE_TEMPLATE("a worker id is its owner's, who may claim it again", Rig, STORE_RIGS) {
  Rig rig;
  StoreCalls ask(rig);
  const Lease lease = *ask.claim(claim_by("ann", 7));
  CHECK(lease.worker == 7);
  CHECK(lease.epoch >= 1);
  CHECK_FALSE(lease.taken_over);
  CHECK(ask.claim(claim_by("ann", 7))->epoch == lease.epoch);
  CHECK(ask.claim(claim_by("ann"))->worker == 7);
  const auto refused = ask.claim(claim_by("bob", 7));
  REQUIRE(name_of(refused) == "WorkerIdInUse");
  CHECK(refused.error().text().find("\"owner\":\"ann\"") != std::string::npos);
  CHECK(refused.error().text().find("\"retry_after_ms\":") != std::string::npos);
  CHECK(ask.claim(claim_by("bob", 8))->worker == 8);
}

TEST_CASE_TEMPLATE("who names none gets the lowest that is free, until none is", Rig, STORE_RIGS) {
  Rig rig;
  StoreCalls ask(rig);
  const auto any = [](const std::string& owner) {
    Claim claim = claim_by(owner);
    claim.workers = 4;
    return claim;
  };
  REQUIRE(ask.claim(claim_by("one", 1)));
  const Lease zero = *ask.claim(any("zero"));
  CHECK(zero.worker == 0);
  CHECK(ask.claim(any("two"))->worker == 2);
  CHECK(ask.claim(any("three"))->worker == 3);
  CHECK(name_of(ask.claim(any("four"))) == "WorkerIdExhausted");
  CHECK(ask.claim(any("two"))->worker == 2);
  CHECK(*ask.release(any("zero"), zero));
  CHECK(ask.claim(any("four"))->worker == 0);
  CHECK(name_of(ask.claim(any("five"))) == "WorkerIdExhausted");
}

TEST_CASE_TEMPLATE("those who ask at once get an id each", Rig, STORE_RIGS) {
  Rig rig;
  std::set<std::int64_t> workers;
  for (int nth = 0; nth < 100; ++nth)
    rig.store().claim(claim_by(std::to_string(nth)), [&](auto lease) { workers.insert(lease->worker); });
  rig.settle();
  CHECK(workers.size() == 100);
  CHECK(*workers.begin() == 0);
  CHECK(*workers.rbegin() == 99);
}

TEST_CASE_TEMPLATE("an id that was given back is another's, in a later epoch and not taken over", Rig,
                   STORE_RIGS) {
  Rig rig;
  StoreCalls ask(rig);
  const Lease ann = *ask.claim(claim_by("ann", 3));
  CHECK_FALSE(*ask.release(claim_by("bob", 3), ann));
  CHECK(*ask.release(claim_by("ann", 3), ann));
  CHECK_FALSE(*ask.release(claim_by("ann", 3), ann));
  CHECK(name_of(ask.renew(claim_by("ann", 3), ann)) == "LeaseLost");
  const Lease bob = *ask.claim(claim_by("bob", 3));
  CHECK(bob.epoch > ann.epoch);
  CHECK_FALSE(bob.taken_over);
  CHECK(name_of(ask.renew(claim_by("ann", 3), ann)) == "LeaseLost");
  CHECK_FALSE(*ask.release(claim_by("ann", 3), ann));
  CHECK(ask.renew(claim_by("bob", 3), bob)->epoch == bob.epoch);
  CHECK(name_of(ask.claim(claim_by("cy", 3))) == "WorkerIdInUse");
  CHECK(*ask.release(claim_by("bob", 3), bob));
  const Lease again = *ask.claim(claim_by("bob", 3));
  CHECK_FALSE(*ask.release(claim_by("bob", 3), bob));
  CHECK(name_of(ask.renew(claim_by("bob", 3), bob)) == "LeaseLost");
  CHECK(*ask.release(claim_by("bob", 3), again));
}

TEST_CASE_TEMPLATE("a lease that is renewed lasts", Rig, STORE_RIGS) {
  Rig rig;
  StoreCalls ask(rig);
  Claim claim = claim_by("ann", 3);
  claim.ttl = 1s;
  const Lease lease = *ask.claim(claim);
  for (int round = 0; round < 4; ++round) {
    rig.pass(600ms);
    const auto renewed = ask.renew(claim, lease);
    REQUIRE(renewed);
    CHECK(renewed->worker == 3);
    CHECK(renewed->epoch == lease.epoch);
    CHECK_FALSE(renewed->taken_over);
  }
  CHECK(name_of(ask.claim(claim_by("bob", 3))) == "WorkerIdInUse");
}

TEST_CASE_TEMPLATE("a lease that was not renewed passes, and who takes the id over is told so", Rig,
                   SHARED_STORE_RIGS) {
  Rig rig;
  StoreCalls ask(rig);
  REQUIRE(rig.store().traits().shared);
  Claim claim = claim_by("ann", 0);
  claim.ttl = 1s;
  const Lease ann = *ask.claim(claim);
  rig.pass(1500ms);
  CHECK(name_of(ask.renew(claim, ann)) == "LeaseLost");
  const Lease bob = *ask.claim(claim_by("bob"));
  CHECK(bob.worker == 0);
  CHECK(bob.taken_over);
  CHECK(bob.epoch > ann.epoch);
  CHECK(name_of(ask.renew(claim, ann)) == "LeaseLost");
  CHECK_FALSE(*ask.release(claim, ann));
  CHECK(name_of(ask.claim(claim)) == "WorkerIdInUse");
}

}  // namespace zerosuite::test::store_lease_test
