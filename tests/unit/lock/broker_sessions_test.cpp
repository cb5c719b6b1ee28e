// Sessions: what is bound to them, and how they end.
#include <doctest/doctest.h>

#include <algorithm>

#include "support/broker_rig.hpp"

namespace zerosuite::test::broker_sessions_test {

TEST_CASE_FIXTURE(SessionRig, "what is bound to a session ends when its stream is lost") {
  acquire(want("ann", {"x"}).bound_to(ann->id));
  const auto bob = acquire(want("bob", {"x"}).waiting(1min));
  const auto token = broker.held_by("x", "ann")->token;
  lose(ann);
  CHECK(bob->state() == "granted");
  CHECK(outcome(release({"x", "ann", token})) == "SessionLost");
  CHECK(broker.sessions().size() == 0);
  CHECK(outcome([&] { broker.sessions().renew(ann->id); }) == "SessionLost");
  CHECK(outcome([&] { acquire(want("ann", {"y"}).bound_to(ann->id)); }) == "SessionLost");
  CHECK(broker.counters().sessions_lost == 1);
}

TEST_CASE_FIXTURE(BrokerRig, "a session that was renewed outlives its stream by its ttl") {
  const auto ann = session("ann", 10s);
  acquire(want("ann").bound_to(ann->id).leased(1h));
  CHECK(broker.sessions().renew(ann->id) == 10s);
  pass(4s);
  lose(ann);
  pass(5s);
  broker.sessions().renew(ann->id);
  pass(9990ms);
  CHECK(acquire(want("bob"))->state() == "held");
  pass(10ms);
  CHECK(acquire(want("bob"))->state() == "granted");
}

TEST_CASE_FIXTURE(BrokerRig, "a session with its stream lives on when a renewal lapses") {
  const auto ann = session("ann", 1s);
  broker.sessions().renew(ann->id);
  pass(5s);
  CHECK(broker.sessions().size() == 1);
  lose(ann);
  CHECK(broker.sessions().size() == 0);
}

TEST_CASE_FIXTURE(BrokerRig,
                  "a hold bound to its lease outlives the session, and watchers hear that it is suspect") {
  const auto watcher = watch("");
  const auto ann = session("ann");
  acquire(want("ann").leased(10s));
  lose(ann);
  CHECK(watcher->words == "granted x, suspect x");
  CHECK(watcher->events.at(1).text == ann->id);
  CHECK(watcher->events.at(1).remaining == 10s);
  CHECK(acquire(want("bob"))->state() == "held");
}

TEST_CASE_FIXTURE(BrokerRig, "what a lost session waits for is refused, queued or on its way") {
  const auto x = acquire(want("bob", {"x"}));
  const auto ann = session("ann");
  const auto queued = acquire(want("ann", {"x"}).bound_to(ann->id).waiting(1min));
  const auto behind = acquire(want("cat", {"x"}).reading().waiting(1min));
  const auto free = acquire(want("ann", {"z"}).waiting(1min));
  engine.slow = true;
  const auto asking = acquire(want("ann", {"y"}).bound_to(ann->id));
  lose(ann);
  CHECK(queued->state() == "SessionLost");
  CHECK(asking->state() == "SessionLost");
  commit_all();
  CHECK(broker.held_by("y", "ann") == nullptr);
  CHECK(free->state() == "granted");
  engine.slow = false;
  release(x);
  CHECK(behind->state() == "granted");
}

TEST_CASE_FIXTURE(BrokerRig, "a closed session gives back what was bound to it, and counts it") {
  const auto watcher = watch("");
  const auto ann = session("ann");
  acquire(want("ann", {"x"}).bound_to(ann->id).delayed(10s));
  const auto y = acquire(want("ann", {"y"}).bound_to(ann->id));
  acquire(want("ann", {"z"}));
  CHECK(close(ann->id) == 2);
  CHECK(ann->ends == 1);
  CHECK(watcher->words == "granted x, granted y, granted z, released x, released y");
  CHECK(acquire(want("bob", {"x"}))->state() == "granted");
  CHECK(outcome([&] { close(ann->id); }) == "SessionLost");
}

TEST_CASE_FIXTURE(SessionRig, "a session is its owner's") {
  CHECK(outcome([&] { acquire(want("bob").bound_to(ann->id)); }) == "InvalidArgument");
  CHECK(outcome([&] { enqueue(want("bob").bound_to(ann->id)); }) == "InvalidArgument");
  CHECK(outcome([&] { enqueue(want("bob").bound_to("none")); }) == "SessionLost");
}

TEST_CASE_FIXTURE(SessionRig, "a hold without a lease ends with its session only") {
  const auto bound = want("ann").bound_to(ann->id).leased(5s);
  acquire(bound.with([](auto& request) { request.indefinite = true; }));
  pass(1min);
  CHECK(acquire(want("bob"))->state() == "held");
  lose(ann);
  CHECK(acquire(want("bob"))->state() == "granted");
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

TEST_CASE_FIXTURE(SessionRig, "a hold without a lease lapses too when it was to be confirmed and was not") {
  const auto bound = want("ann").bound_to(ann->id).leased(30s).waiting(10min).confirming(2s).with(
      [](auto& request) { request.indefinite = true; });
  const auto first = acquire(want("bob").leased(1s));
  acquire(bound);
  pass(3s);
  const auto second = acquire(want("bob").leased(1s));
  REQUIRE(second->state() == "granted");
  const auto held = acquire(bound);
  pass(1s);
  REQUIRE(held->state() == "granted");
  extend(held, 30s);
  pass(10min);
  CHECK(acquire(want("bob"))->state() == "held");
}

TEST_CASE_FIXTURE(BrokerRig,
                  "a session with very many locks ends in pieces, and the loop is free in between") {
  const auto watcher = watch("other");
  const auto ann = session("ann");
  constexpr int kMany = 3'000;
  for (int i = 0; i < kMany; ++i) {
    acquire(want("ann", {"bound" + std::to_string(i)}).bound_to(ann->id));
    acquire(want("ann", {"other" + std::to_string(i)}).leased(1h));
  }
  const auto waiter = acquire(want("bob", {"bound2999"}).waiting(1min));
  std::optional<std::size_t> released;
  piece = 10us;
  broker.sessions().close(ann->id, [&](std::size_t count) { released = count; });
  CHECK(broker.leases().size() > kMany);
  CHECK(outcome([&] { acquire(want("ann").bound_to(ann->id)); }) == "SessionLost");
  CHECK(acquire(want("bob", {"free"}))->state() == "granted");
  CHECK_FALSE(released);
  finish();
  CHECK(released == kMany);
  CHECK(broker.leases().size() == kMany + 2);
  CHECK(waiter->state() == "granted");

  const auto again = session("ann");
  lose(again);
  acquire(want("ann", {"other, later"}));
  finish();
  CHECK(std::count_if(watcher->events.begin(), watcher->events.end(),
                      [](const auto& event) { return event.kind == lock::Event::Kind::kSuspect; }) == kMany);
}

TEST_CASE_FIXTURE(
    SessionRig, "what a session waits for when it ends is refused in pieces too, granted meanwhile or not") {
  std::vector<Asked> held;
  std::vector<Asked> waiting;
  for (int i = 0; i < 1'000; ++i) {
    held.push_back(acquire(want("bob", {std::to_string(i)})));
    waiting.push_back(acquire(want("ann", {std::to_string(i)}).bound_to(ann->id).waiting(1min)));
  }
  piece = 10us;
  lose(ann);
  CHECK(waiting.back()->state() == "");
  release(held.back());
  CHECK(waiting.back()->state() == "granted");
  finish();
  CHECK(waiting.at(998)->state() == "SessionLost");
  CHECK(broker.held_by("999", "ann") == nullptr);
}

TEST_CASE_FIXTURE(SessionRig, "a ticket's grant ends with the session it was asked for under") {
  const auto bob = acquire(want("bob"));
  const auto ticket = enqueue(want("ann").bound_to(ann->id))->busy().ticket;
  release(bob);
  lose(ann);
  CHECK(broker.leases().size() == 0);
  CHECK(outcome([&] { wait(ticket, 0s); }) == "NotHeld");
}

TEST_CASE_FIXTURE(
    SessionRig,
    "after a loss the delay keeps others out, but not the former owner, and then the line goes on") {
  acquire(want("ann").bound_to(ann->id).delayed(5s));
  lose(ann);
  CHECK(acquire(want("bob"))->state() == "held");
  const auto again = acquire(want("ann"));
  REQUIRE(again->state() == "granted");
  release(again);
  const auto bob = acquire(want("bob").waiting(1min));
  pass(4990ms);
  CHECK(bob->state() == "");
  pass(10ms);
  CHECK(bob->state() == "granted");
}

TEST_CASE_FIXTURE(BrokerRig,
                  "what was asked for under a session that has ended is not to be had by asking again") {
  const auto heard = session("ann");
  engine.slow = true;
  acquire(want("ann").called("r").bound_to(heard->id));
  close(heard->id);
  CHECK(outcome([&] { acquire(want("ann").called("r").bound_to(heard->id)); }) == "SessionLost");
  CHECK(outcome([&] { acquire(want("ann").called("r")); }) == "SessionLost");
  commit_all();
  engine.slow = false;
  CHECK(acquire(want("bob"))->state() == "granted");
}

TEST_CASE_FIXTURE(BrokerRig, "a session hears of leases that began before it") {
  acquire(want("ann").leased(9s));
  const auto heard = session("ann");
  pass(9s);
  CHECK(heard->words == "open, expiring x, lost x");
}

TEST_CASE_FIXTURE(BrokerRig, "a delay follows an expiry, but no release") {
  const auto released = acquire(want("ann").delayed(5s));
  release(released);
  const auto lapsed = acquire(want("bob").delayed(5s).leased(1s));
  REQUIRE(lapsed->state() == "granted");
  pass(1s);
  CHECK(acquire(want("cat"))->state() == "held");
  pass(5s);
  CHECK(acquire(want("cat"))->state() == "granted");
}

}  // namespace zerosuite::test::broker_sessions_test
