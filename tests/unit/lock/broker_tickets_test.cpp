// Tickets: a place in line that outlives those who wait for it.
#include <doctest/doctest.h>

#include "support/broker_rig.hpp"

namespace zerosuite::test::broker_tickets_test {

TEST_CASE_FIXTURE(BrokerRig, "a free lock is granted to who takes a ticket, at once") {
  const auto ann = enqueue(want("ann"));
  REQUIRE(ann->state() == "granted");
  const auto again = wait(ann->granted().ticket, 0s);
  REQUIRE(again->state() == "replay");
  CHECK(again->granted().token == ann->granted().token);
  CHECK_FALSE(cancel(ann->granted().ticket));
}

TEST_CASE_FIXTURE(HeldRig, "a ticket keeps its place between two waits") {
  const auto place = enqueue(want("bob"));
  REQUIRE(place->state() == "queued");
  CHECK(place->busy().position == 1);
  CHECK(place->busy().holder == "ann");
  const auto behind = enqueue(want("cat"));
  CHECK(behind->busy().position == 2);
  const auto first = wait(place->busy().ticket, 2s);
  pass(2s);
  REQUIRE(first->state() == "queued");
  CHECK(first->busy().ticket == place->busy().ticket);
  CHECK(wait(place->busy().ticket, 0s)->state() == "queued");
  const auto second = wait(place->busy().ticket, 20s);
  release(ann);
  REQUIRE(second->state() == "granted");
  CHECK(second->granted().ticket == place->busy().ticket);
  CHECK(wait(place->busy().ticket, 0s)->state() == "replay");
}

TEST_CASE("a place that nobody waits for is lost after a while") {
  BrokerRig rig({.ticket_ttl = 5s});
  rig.acquire(want("ann").leased(1h));
  const auto bob = rig.enqueue(want("bob"))->busy().ticket;
  rig.pass(4s);
  CHECK(rig.wait(bob, 0s)->state() == "queued");
  rig.pass(4s);
  CHECK(rig.waiting() == 1);
  rig.pass(1s);
  CHECK(rig.waiting() == 0);
  CHECK(outcome([&] { rig.wait(bob, 0s); }) == "NotHeld");
}

TEST_CASE("a place whose waiter vanished is kept for the next wait") {
  BrokerRig rig({.ticket_ttl = 5s});
  const auto ann = rig.acquire(want("ann").leased(5min));
  const auto ticket = rig.enqueue(want("bob"))->busy().ticket;
  const auto vanished = rig.wait(ticket, 1min);
  rig.pass(30s);
  rig.withdraw(vanished);
  rig.pass(4s);
  const auto back = rig.wait(ticket, 1min);
  rig.release(ann);
  CHECK(back->state() == "granted");
}

TEST_CASE_FIXTURE(HeldRig, "a place whose waiter vanished while he was told of it is kept as well") {
  const auto ticket = enqueue(want("bob"))->busy().ticket;
  const auto told = wait(ticket, 1s);
  vanish_when_told(told);
  pass(1s);
  CHECK(told->state() == "queued");
  release(ann);
  CHECK(wait(ticket, 0s)->state() == "granted");
}

TEST_CASE_FIXTURE(HeldRig,
                  "what a ticket was granted while nobody waited is claimed by the next wait, lease anew") {
  const auto ticket = enqueue(want("bob").leased(10s))->busy().ticket;
  release(ann);
  pass(7s);
  const auto bob = wait(ticket, 0s);
  REQUIRE(bob->state() == "granted");
  CHECK(bob->granted().lease == 10s);
  pass(9s);
  CHECK(acquire(want("cat"))->state() == "held");
  pass(1s);
  CHECK(acquire(want("cat"))->state() == "granted");
}

TEST_CASE_FIXTURE(HeldRig, "a grant that nobody claims lapses, and its ticket with it") {
  const auto ticket = enqueue(want("bob").leased(10s))->busy().ticket;
  const auto cat = acquire(want("cat").waiting(1min));
  release(ann);
  pass(10s);
  CHECK(cat->state() == "granted");
  CHECK(outcome([&] { wait(ticket, 0s); }) == "NotHeld");
}

TEST_CASE_FIXTURE(HeldRig, "a claim that cannot be kept may be made again") {
  const auto ticket = enqueue(want("bob").leased(10s))->busy().ticket;
  release(ann);
  engine.trouble = core::Error{core::kStorageError, "full"};
  CHECK(wait(ticket, 0s)->state() == "StorageError");
  engine.trouble.reset();
  CHECK(wait(ticket, 0s)->state() == "granted");
}

TEST_CASE_FIXTURE(HeldRig, "a claimant found gone while he is told leaves it to the next wait") {
  const auto ticket = enqueue(want("bob"))->busy().ticket;
  const auto vanished = wait(ticket, 1min);
  vanish_when_told(vanished);
  release(ann);
  CHECK(vanished->state() == "granted");
  CHECK(wait(ticket, 0s)->state() == "granted");
  CHECK(wait(ticket, 0s)->state() == "replay");
}

TEST_CASE_FIXTURE(HeldRig, "a ticket may be waited for twice at a time, and both hear of it") {
  const auto ticket = enqueue(want("bob"))->busy().ticket;
  const auto first = wait(ticket, 1min);
  const auto second = wait(ticket, 1min);
  CHECK(first->state() == "");
  release(ann);
  CHECK(first->state() == "granted");
  CHECK(second->state() == "granted");
}

TEST_CASE_FIXTURE(HeldRig, "a ticket that is given up leaves the line, and gives back what it was granted") {
  const auto bob = enqueue(want("bob"))->busy().ticket;
  const auto cat = enqueue(want("cat"))->busy().ticket;
  const auto dan = acquire(want("dan").waiting(1min));
  const auto waiter = wait(bob, 1min);
  CHECK(cancel(bob));
  CHECK(waiter->state() == "Cancelled");
  CHECK_FALSE(cancel(bob));
  release(ann);
  CHECK(broker.info("x").holders.at(0).owner == "cat");
  CHECK(cancel(cat));
  CHECK(dan->state() == "granted");
}

TEST_CASE_FIXTURE(HeldRig, "a ticket given up while the engine is asked is no ticket any more") {
  const std::string ticket = enqueue(want("bob"))->busy().ticket;
  engine.slow = true;
  release(ann);
  commit();
  const auto bob = wait(ticket, 1min);
  CHECK(cancel(ticket));
  CHECK(bob->state() == "Cancelled");
  CHECK(outcome([&] { wait(ticket, 0s); }) == "NotHeld");
  CHECK_FALSE(cancel(ticket));
  commit_all();
  CHECK(broker.leases().size() == 0);
}

TEST_CASE_FIXTURE(HeldRig, "what others of its owner have entered stays when its ticket is given up") {
  const auto ticket = enqueue(want("bob"))->busy().ticket;
  release(ann);
  const auto other = acquire(want("bob"));
  CHECK(other->granted().count == 2);
  CHECK(cancel(ticket));
  CHECK(broker.check("x", other->granted().token).valid);
  release(other);
  CHECK(broker.leases().size() == 0);
}

TEST_CASE_FIXTURE(BrokerRig,
                  "a ticket asked for again by its request is answered at once, with the same ticket") {
  acquire(want("ann"));
  const auto first = enqueue(want("bob").called("r"));
  const auto again = enqueue(want("bob").called("r"));
  REQUIRE(again->state() == "queued");
  CHECK(again->busy().ticket == first->busy().ticket);
  CHECK(waiting() == 1);
}

TEST_CASE_FIXTURE(BrokerRig, "no ticket is none") {
  for (const char* text : {"", "0", "x", "12x", "99999999999999999999999"}) {
    CAPTURE(text);
    CHECK(outcome([&] { wait(text, 0s); }) == "NotHeld");
    CHECK_FALSE(cancel(text));
  }
  CHECK(outcome([&] { wait("1", -1ms); }) == "InvalidArgument");
  acquire(want("ann"));
  const auto call = acquire(want("bob").waiting(1min));
  CHECK(outcome([&] { wait(std::to_string(call->id), 0s); }) == "NotHeld");
}

TEST_CASE_FIXTURE(BrokerRig, "a ticket is 128 random bits, and tells nothing of its neighbours") {
  acquire(want("ann"));
  const std::string one = enqueue(want("bob"))->busy().ticket;
  const std::string other = enqueue(want("cat"))->busy().ticket;
  CHECK(one.size() == 32);
  CHECK(one.find_first_not_of("0123456789abcdef") == std::string::npos);
  int same = 0;
  for (std::size_t i = 0; i < one.size(); ++i) same += one[i] == other[i] ? 1 : 0;
  CHECK(same < 16);
}

TEST_CASE_FIXTURE(HeldRig, "a place in a long line is told as it is, whoever leaves or comes") {
  std::vector<std::string> tickets;
  for (int i = 0; i < 300; ++i) tickets.push_back(enqueue(want(std::to_string(i)))->busy().ticket);
  const auto place = [&](int i) {
    return wait(tickets.at(static_cast<std::size_t>(i)), 0s)->busy().position;
  };
  CHECK(place(299) == 300);
  CHECK(place(0) == 1);
  for (int i = 100; i < 200; ++i) cancel(tickets.at(static_cast<std::size_t>(i)));
  CHECK(place(99) == 100);
  CHECK(place(299) == 200);
  CHECK(enqueue(want("later"))->busy().position == 201);
  release(ann);
  CHECK(place(299) == 199);
}

TEST_CASE("a ticket that was granted has no place among those who wait, also while nobody claims it") {
  BrokerRig rig({.max_waiting = 4});
  for (int i = 0; i < 8; ++i) {
    const std::string name = std::to_string(i);
    const auto ann = rig.acquire(want("ann", {name}));
    REQUIRE(outcome([&] { rig.enqueue(want("bob", {name})); }) == "ok");
    rig.release(ann);
  }
  CHECK(rig.waiting() == 0);
}

TEST_CASE("an owner has so many tickets and no more, and a client its share of all") {
  BrokerRig rig({.max_tickets = 32, .max_owner_tickets = 3});
  const auto by = [](const std::string& client, const std::string& owner) {
    return want(owner, {"of " + owner}).with([&](auto& request) { request.client = client; });
  };
  for (const char* owner : {"ann", "bob", "cat", "dan", "eve", "fay"})
    rig.acquire(want("holder", {"of " + std::string(owner)}));
  const std::string first = rig.enqueue(by("1", "ann"))->busy().ticket;
  for (int i = 0; i < 2; ++i) rig.enqueue(by("1", "ann"));
  CHECK(outcome([&] { rig.enqueue(by("2", "ann")); }) == "Overloaded");
  rig.cancel(first);
  CHECK(rig.enqueue(by("2", "ann"))->state() == "queued");
  int taken = 2;
  for (const char* owner : {"bob", "cat", "dan", "eve", "fay"}) {
    for (int i = 0; i < 3; ++i)
      if (outcome([&] { rig.enqueue(by("1", owner)); }) == "ok") ++taken;
  }
  CHECK(taken == 15);
  CHECK(rig.acquire(by("1", "gus"))->state() == "granted");
  CHECK(rig.enqueue(by("3", "gus"))->state() == "granted");
}

}  // namespace zerosuite::test::broker_tickets_test
