// Sessions: what is bound to them, and how they end.
#include <doctest/doctest.h>

#include <algorithm>

#include "support/broker_rig.hpp"

namespace zerosuite::test::broker_sessions_test {

using namespace std::chrono_literals;

TEST_CASE("what is bound to a session ends when its stream is lost") {
  BrokerRig rig;
  const auto ann = rig.session("ann");
  rig.acquire(want("ann", {"x"}).bound_to(ann->id));
  const auto bob = rig.acquire(want("bob", {"x"}).waiting(1min));
  const auto token = rig.broker.held_by("x", "ann")->token;
  rig.lose(ann);
  CHECK(bob->state() == "granted");
  CHECK(outcome(rig.release({"x", "ann", token})) == "SessionLost");
  CHECK(rig.broker.sessions().size() == 0);
  CHECK(outcome([&] { rig.broker.sessions().renew(ann->id); }) == "SessionLost");
  CHECK(outcome([&] { rig.acquire(want("ann", {"y"}).bound_to(ann->id)); }) == "SessionLost");
  CHECK(rig.broker.counters().sessions_lost == 1);
}

TEST_CASE("a session that was renewed outlives its stream by its ttl") {
  BrokerRig rig;
  const auto ann = rig.session("ann", 10s);
  rig.acquire(want("ann").bound_to(ann->id).leased(1h));
  CHECK(rig.broker.sessions().renew(ann->id) == 10s);
  rig.pass(4s);
  rig.lose(ann);
  rig.pass(5s);
  rig.broker.sessions().renew(ann->id);
  rig.pass(9990ms);
  CHECK(rig.acquire(want("bob"))->state() == "held");
  rig.pass(10ms);
  CHECK(rig.acquire(want("bob"))->state() == "granted");
}

TEST_CASE("a session with its stream lives on when a renewal lapses") {
  BrokerRig rig;
  const auto ann = rig.session("ann", 1s);
  rig.broker.sessions().renew(ann->id);
  rig.pass(5s);
  CHECK(rig.broker.sessions().size() == 1);
  rig.lose(ann);
  CHECK(rig.broker.sessions().size() == 0);
}

TEST_CASE("a hold bound to its lease outlives the session, and watchers hear that it is suspect") {
  BrokerRig rig;
  const auto watcher = rig.watch("");
  const auto ann = rig.session("ann");
  rig.acquire(want("ann").leased(10s));
  rig.lose(ann);
  CHECK(watcher->words == "granted x, suspect x");
  CHECK(watcher->events.at(1).text == ann->id);
  CHECK(watcher->events.at(1).remaining == 10s);
  CHECK(rig.acquire(want("bob"))->state() == "held");
}

TEST_CASE("what a lost session waits for is refused, queued or on its way") {
  BrokerRig rig;
  const auto x = rig.acquire(want("bob", {"x"}));
  const auto ann = rig.session("ann");
  const auto queued = rig.acquire(want("ann", {"x"}).bound_to(ann->id).waiting(1min));
  const auto behind = rig.acquire(want("cat", {"x"}).reading().waiting(1min));
  const auto free = rig.acquire(want("ann", {"z"}).waiting(1min));
  rig.engine.slow = true;
  const auto asking = rig.acquire(want("ann", {"y"}).bound_to(ann->id));
  rig.lose(ann);
  CHECK(queued->state() == "SessionLost");
  CHECK(asking->state() == "SessionLost");
  rig.commit_all();
  CHECK(rig.broker.held_by("y", "ann") == nullptr);
  CHECK(free->state() == "granted");
  rig.engine.slow = false;
  rig.release(x);
  CHECK(behind->state() == "granted");
}

TEST_CASE("a closed session gives back what was bound to it, and counts it") {
  BrokerRig rig;
  const auto watcher = rig.watch("");
  const auto ann = rig.session("ann");
  rig.acquire(want("ann", {"x"}).bound_to(ann->id).delayed(10s));
  const auto y = rig.acquire(want("ann", {"y"}).bound_to(ann->id));
  rig.acquire(want("ann", {"z"}));
  CHECK(rig.close(ann->id) == 2);
  CHECK(ann->ends == 1);
  CHECK(watcher->words == "granted x, granted y, granted z, released x, released y");
  CHECK(rig.acquire(want("bob", {"x"}))->state() == "granted");
  CHECK(outcome([&] { rig.close(ann->id); }) == "SessionLost");
}

TEST_CASE("a session is its owner's") {
  BrokerRig rig;
  const auto ann = rig.session("ann");
  CHECK(outcome([&] { rig.acquire(want("bob").bound_to(ann->id)); }) == "InvalidArgument");
  CHECK(outcome([&] { rig.enqueue(want("bob").bound_to(ann->id)); }) == "InvalidArgument");
  CHECK(outcome([&] { rig.enqueue(want("bob").bound_to("none")); }) == "SessionLost");
}

TEST_CASE("a hold without a lease ends with its session only") {
  BrokerRig rig;
  const auto ann = rig.session("ann");
  const auto bound = want("ann").bound_to(ann->id).leased(5s);
  rig.acquire(bound.with([](auto& request) { request.indefinite = true; }));
  rig.pass(1min);
  CHECK(rig.acquire(want("bob"))->state() == "held");
  rig.lose(ann);
  CHECK(rig.acquire(want("bob"))->state() == "granted");
}

TEST_CASE("a hold without a lease ends when it was held for as long as any may be") {
  BrokerRig rig({.most_held = 40s});
  const auto ann = rig.session("ann");
  const auto bound = want("ann").bound_to(ann->id).leased(30s);
  const auto held = rig.acquire(bound.with([](auto& request) { request.indefinite = true; }));
  const auto bob = rig.acquire(want("bob").waiting(1min));
  rig.pass(20s);
  CHECK(outcome(rig.extend(held, 30s)) == "ExtendLimit");
  CHECK(outcome(rig.extend(held, 10s)) == "ok");
  rig.pass(19'990ms);
  CHECK(bob->state() == "");
  CHECK(rig.broker.info("x").holders.at(0).remaining == 10ms);
  rig.pass(10ms);
  CHECK(bob->state() == "granted");
  CHECK(ann->words == "open, granted x, expiring x, lost x");
  CHECK(outcome(rig.release(held)) == "LeaseExpired");
}

TEST_CASE("a hold without a lease lapses too when it was to be confirmed and was not") {
  BrokerRig rig;
  const auto ann = rig.session("ann");
  const auto bound = want("ann").bound_to(ann->id).leased(30s).waiting(10min).confirming(2s).with(
      [](auto& request) { request.indefinite = true; });
  const auto first = rig.acquire(want("bob").leased(1s));
  rig.acquire(bound);
  rig.pass(3s);
  const auto second = rig.acquire(want("bob").leased(1s));
  REQUIRE(second->state() == "granted");
  const auto held = rig.acquire(bound);
  rig.pass(1s);
  REQUIRE(held->state() == "granted");
  rig.extend(held, 30s);
  rig.pass(10min);
  CHECK(rig.acquire(want("bob"))->state() == "held");
}

TEST_CASE("a session with very many locks ends in pieces, and the loop is free in between") {
  BrokerRig rig;
  const auto watcher = rig.watch("other");
  const auto ann = rig.session("ann");
  constexpr int kMany = 3'000;
  for (int i = 0; i < kMany; ++i) {
    rig.acquire(want("ann", {"bound" + std::to_string(i)}).bound_to(ann->id));
    rig.acquire(want("ann", {"other" + std::to_string(i)}).leased(1h));
  }
  const auto waiter = rig.acquire(want("bob", {"bound2999"}).waiting(1min));
  std::optional<std::size_t> released;
  rig.piece = 10us;
  rig.broker.sessions().close(ann->id, [&](std::size_t count) { released = count; });
  CHECK(rig.broker.leases().size() > kMany);
  CHECK(outcome([&] { rig.acquire(want("ann").bound_to(ann->id)); }) == "SessionLost");
  CHECK(rig.acquire(want("bob", {"free"}))->state() == "granted");
  CHECK_FALSE(released);
  rig.finish();
  CHECK(released == kMany);
  CHECK(rig.broker.leases().size() == kMany + 2);
  CHECK(waiter->state() == "granted");

  const auto again = rig.session("ann");
  rig.lose(again);
  rig.acquire(want("ann", {"other, later"}));
  rig.finish();
  CHECK(std::count_if(watcher->events.begin(), watcher->events.end(),
                      [](const auto& event) { return event.kind == lock::Event::Kind::kSuspect; }) == kMany);
}

TEST_CASE("what a session waits for when it ends is refused in pieces too, granted meanwhile or not") {
  BrokerRig rig;
  const auto ann = rig.session("ann");
  std::vector<test::Asked> held;
  std::vector<test::Asked> waiting;
  for (int i = 0; i < 1'000; ++i) {
    held.push_back(rig.acquire(want("bob", {std::to_string(i)})));
    waiting.push_back(rig.acquire(want("ann", {std::to_string(i)}).bound_to(ann->id).waiting(1min)));
  }
  rig.piece = 10us;
  rig.lose(ann);
  CHECK(waiting.back()->state() == "");
  rig.release(held.back());
  CHECK(waiting.back()->state() == "granted");
  rig.finish();
  CHECK(waiting.at(998)->state() == "SessionLost");
  CHECK(rig.broker.held_by("999", "ann") == nullptr);
}

TEST_CASE("a ticket's grant ends with the session it was asked for under") {
  BrokerRig rig;
  const auto ann = rig.session("ann");
  const auto bob = rig.acquire(want("bob"));
  const auto ticket = rig.enqueue(want("ann").bound_to(ann->id))->busy().ticket;
  rig.release(bob);
  rig.lose(ann);
  CHECK(rig.broker.leases().size() == 0);
  CHECK(outcome([&] { rig.wait(ticket, 0s); }) == "NotHeld");
}

TEST_CASE("after a loss the delay keeps others out, but not the former owner, and then the line goes on") {
  BrokerRig rig;
  const auto ann = rig.session("ann");
  rig.acquire(want("ann").bound_to(ann->id).delayed(5s));
  rig.lose(ann);
  CHECK(rig.acquire(want("bob"))->state() == "held");
  const auto again = rig.acquire(want("ann"));
  REQUIRE(again->state() == "granted");
  rig.release(again);
  const auto bob = rig.acquire(want("bob").waiting(1min));
  rig.pass(4990ms);
  CHECK(bob->state() == "");
  rig.pass(10ms);
  CHECK(bob->state() == "granted");
}

TEST_CASE("what was asked for under a session that has ended is not to be had by asking again") {
  BrokerRig rig;
  const auto heard = rig.session("ann");
  rig.engine.slow = true;
  rig.acquire(want("ann").called("r").bound_to(heard->id));
  rig.close(heard->id);
  CHECK(outcome([&] { rig.acquire(want("ann").called("r").bound_to(heard->id)); }) == "SessionLost");
  CHECK(outcome([&] { rig.acquire(want("ann").called("r")); }) == "SessionLost");
  rig.commit_all();
  rig.engine.slow = false;
  CHECK(rig.acquire(want("bob"))->state() == "granted");
}

TEST_CASE("a session hears of leases that began before it") {
  BrokerRig rig;
  rig.acquire(want("ann").leased(9s));
  const auto heard = rig.session("ann");
  rig.pass(9s);
  CHECK(heard->words == "open, expiring x, lost x");
}

TEST_CASE("a delay follows an expiry, but no release") {
  BrokerRig rig;
  const auto released = rig.acquire(want("ann").delayed(5s));
  rig.release(released);
  const auto lapsed = rig.acquire(want("bob").delayed(5s).leased(1s));
  REQUIRE(lapsed->state() == "granted");
  rig.pass(1s);
  CHECK(rig.acquire(want("cat"))->state() == "held");
  rig.pass(5s);
  CHECK(rig.acquire(want("cat"))->state() == "granted");
}

}  // namespace zerosuite::test::broker_sessions_test
