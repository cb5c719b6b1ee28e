// Several names taken together.
#include <doctest/doctest.h>

#include "support/broker_rig.hpp"

namespace zerosuite::test::broker_sets_test {

using namespace std::chrono_literals;

TEST_CASE("a set is granted whole, with one token") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann", {"x", "y"}));
  REQUIRE(ann->state() == "granted");
  CHECK(rig.broker.check("x", ann->granted().token).valid);
  CHECK(rig.broker.check("y", ann->granted().token).valid);
  CHECK(rig.acquire(want("bob", {"y"}))->state() == "held");
}

TEST_CASE("a set waits without holding what is free of it") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann", {"x"}));
  const auto set = rig.acquire(want("bob", {"x", "y"}).waiting(1min));
  CHECK_FALSE(rig.broker.check("y", 0).current != 0);
  rig.release(ann);
  CHECK(set->state() == "granted");
  CHECK(rig.broker.check("y", set->granted().token).valid);
}

TEST_CASE("nobody overtakes a set on any of its names") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann", {"x"}));
  const auto set = rig.acquire(want("bob", {"x", "y"}).waiting(1min));
  const auto cat = rig.acquire(want("cat", {"y"}).waiting(1min));
  CHECK(cat->state() == "");
  rig.withdraw(set);
  CHECK(cat->state() == "granted");
  CHECK(rig.acquire(want("dan", {"x"}))->state() == "held");
  rig.release(ann);
}

TEST_CASE("a set is granted when the last of its names is first in line") {
  BrokerRig rig;
  const auto x = rig.acquire(want("ann", {"x"}));
  const auto y = rig.acquire(want("ann", {"y"}));
  const auto before = rig.acquire(want("bob", {"y"}).waiting(1min));
  const auto set = rig.acquire(want("cat", {"x", "y"}).waiting(1min));
  const auto behind = rig.acquire(want("dan", {"x"}).waiting(1min));
  rig.release(x);
  rig.release(y);
  CHECK(before->state() == "granted");
  CHECK(set->state() == "");
  rig.release(before);
  CHECK(set->state() == "granted");
  CHECK(behind->state() == "");
  rig.release_many("cat", {{"x", set->granted().token}, {"y", set->granted().token}});
  CHECK(behind->state() == "granted");
}

TEST_CASE("a set does not overtake another that waits for one of its names, though the name is free") {
  BrokerRig rig;
  const auto x = rig.acquire(want("ann", {"x"}));
  const auto z = rig.acquire(want("bob", {"z"}));
  const auto before = rig.acquire(want("cat", {"y", "z"}).waiting(1min));
  const auto behind = rig.acquire(want("dan", {"x", "y"}).waiting(1min));
  rig.release(x);
  CHECK(behind->state() == "");
  rig.release(z);
  CHECK(before->state() == "granted");
  CHECK(behind->state() == "");
}

test::SharedAnswer<lock::BatchResult> release_many(BrokerRig& rig, const std::string& owner,
                                                   const std::vector<lock::Ticketed>& held) {
  return test::answered<lock::BatchResult>(
      [&](auto done) { rig.broker.release_many(owner, held, {}, std::move(done)); });
}

TEST_CASE("a set is given back whole, or not at all") {
  BrokerRig rig;
  const auto token = rig.acquire(want("ann", {"x", "y"}))->granted().token;
  CHECK(outcome(rig.release({"x", "ann", token})) == "InvalidArgument");
  CHECK(outcome([&] { release_many(rig, "ann", {{"y", token}}); }) == "InvalidArgument");
  CHECK(outcome([&] {
          release_many(rig, "ann", {{"x", token}, {"y", token}, {"z", token}});
        }) == "InvalidArgument");
  CHECK(rig.broker.check("x", token).valid);
  const auto released = release_many(rig, "ann", {{"y", token}, {"x", token}});
  CHECK(value(released).done == std::vector<std::string>{"x", "y"});
  CHECK(rig.acquire(want("bob", {"x"}))->state() == "granted");
  CHECK(rig.acquire(want("bob", {"y"}))->state() == "granted");
}

TEST_CASE("a batch of releases does what it can, and says what it could not") {
  BrokerRig rig;
  const auto mine = rig.acquire(want("ann", {"x"}))->granted().token;
  const auto his = rig.acquire(want("bob", {"y"}))->granted().token;
  const auto released = release_many(rig, "ann", {{"x", mine}, {"y", his}, {"z", 5}});
  CHECK(value(released).done == std::vector<std::string>{"x"});
  REQUIRE(value(released).missed.size() == 2);
  CHECK(value(released).missed[0].error.name == "NotHeld");
  CHECK(value(released).missed[1].name == "y");
  CHECK(value(released).missed[1].token == his);
  CHECK(value(released).missed[1].error.name == "NotOwner");
  CHECK(value(release_many(rig, "ann", {})).done.empty());
}

TEST_CASE("a batch of extensions does what it can, and says what is lost") {
  BrokerRig rig;
  const auto short_one = rig.acquire(want("ann", {"x"}).leased(1s))->granted().token;
  const auto set = rig.acquire(want("ann", {"y", "z"}).leased(5s))->granted().token;
  rig.pass(2s);
  const auto renewed = test::answered<lock::BatchResult>([&](auto done) {
    rig.broker.renew("ann", {{"x", short_one}, {"y", set}, {"z", set}}, 20s, std::move(done));
  });
  CHECK(value(renewed).done == std::vector<std::string>{"y", "z"});
  REQUIRE(value(renewed).missed.size() == 1);
  CHECK(value(renewed).missed[0].error.name == "LeaseExpired");
  CHECK(rig.broker.check("z", set).remaining == 20s);
}

}  // namespace zerosuite::test::broker_sets_test
