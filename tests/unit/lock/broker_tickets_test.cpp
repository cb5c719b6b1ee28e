// Tickets: a place in line that outlives those who wait for it.
#include <doctest/doctest.h>

#include "support/broker_rig.hpp"

namespace zerosuite::test::broker_tickets_test {

using namespace std::chrono_literals;

TEST_CASE("a free lock is granted to who takes a ticket, at once") {
  BrokerRig rig;
  const auto ann = rig.enqueue(want("ann"));
  REQUIRE(ann->state() == "granted");
  const auto again = rig.wait(ann->granted().ticket, 0s);
  REQUIRE(again->state() == "replay");
  CHECK(again->granted().token == ann->granted().token);
  CHECK_FALSE(rig.cancel(ann->granted().ticket));
}

TEST_CASE("a ticket keeps its place between two waits") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann"));
  const auto place = rig.enqueue(want("bob"));
  REQUIRE(place->state() == "queued");
  CHECK(place->busy().position == 1);
  CHECK(place->busy().holder == "ann");
  const auto behind = rig.enqueue(want("cat"));
  CHECK(behind->busy().position == 2);
  const auto first = rig.wait(place->busy().ticket, 2s);
  rig.pass(2s);
  REQUIRE(first->state() == "queued");
  CHECK(first->busy().ticket == place->busy().ticket);
  CHECK(rig.wait(place->busy().ticket, 0s)->state() == "queued");
  const auto second = rig.wait(place->busy().ticket, 20s);
  rig.release(ann);
  REQUIRE(second->state() == "granted");
  CHECK(second->granted().ticket == place->busy().ticket);
  CHECK(rig.wait(place->busy().ticket, 0s)->state() == "replay");
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

TEST_CASE("a place whose waiter vanished while he was told of it is kept as well") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann"));
  const auto ticket = rig.enqueue(want("bob"))->busy().ticket;
  const auto told = rig.wait(ticket, 1s);
  rig.vanish_when_told(told);
  rig.pass(1s);
  CHECK(told->state() == "queued");
  rig.release(ann);
  CHECK(rig.wait(ticket, 0s)->state() == "granted");
}

TEST_CASE("what a ticket was granted while nobody waited is claimed by the next wait, lease anew") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann"));
  const auto ticket = rig.enqueue(want("bob").leased(10s))->busy().ticket;
  rig.release(ann);
  rig.pass(7s);
  const auto bob = rig.wait(ticket, 0s);
  REQUIRE(bob->state() == "granted");
  CHECK(bob->granted().lease == 10s);
  rig.pass(9s);
  CHECK(rig.acquire(want("cat"))->state() == "held");
  rig.pass(1s);
  CHECK(rig.acquire(want("cat"))->state() == "granted");
}

TEST_CASE("a grant that nobody claims lapses, and its ticket with it") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann"));
  const auto ticket = rig.enqueue(want("bob").leased(10s))->busy().ticket;
  const auto cat = rig.acquire(want("cat").waiting(1min));
  rig.release(ann);
  rig.pass(10s);
  CHECK(cat->state() == "granted");
  CHECK(outcome([&] { rig.wait(ticket, 0s); }) == "NotHeld");
}

TEST_CASE("a claim that cannot be kept may be made again") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann"));
  const auto ticket = rig.enqueue(want("bob").leased(10s))->busy().ticket;
  rig.release(ann);
  rig.engine.trouble = core::Error{core::kStorageError, "full"};
  CHECK(rig.wait(ticket, 0s)->state() == "StorageError");
  rig.engine.trouble.reset();
  CHECK(rig.wait(ticket, 0s)->state() == "granted");
}

TEST_CASE("a claimant found gone while he is told leaves it to the next wait") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann"));
  const auto ticket = rig.enqueue(want("bob"))->busy().ticket;
  const auto vanished = rig.wait(ticket, 1min);
  rig.vanish_when_told(vanished);
  rig.release(ann);
  CHECK(vanished->state() == "granted");
  CHECK(rig.wait(ticket, 0s)->state() == "granted");
  CHECK(rig.wait(ticket, 0s)->state() == "replay");
}

TEST_CASE("a ticket may be waited for twice at a time, and both hear of it") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann"));
  const auto ticket = rig.enqueue(want("bob"))->busy().ticket;
  const auto first = rig.wait(ticket, 1min);
  const auto second = rig.wait(ticket, 1min);
  CHECK(first->state() == "");
  rig.release(ann);
  CHECK(first->state() == "granted");
  CHECK(second->state() == "granted");
}

TEST_CASE("a ticket that is given up leaves the line, and gives back what it was granted") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann"));
  const auto bob = rig.enqueue(want("bob"))->busy().ticket;
  const auto cat = rig.enqueue(want("cat"))->busy().ticket;
  const auto dan = rig.acquire(want("dan").waiting(1min));
  const auto waiter = rig.wait(bob, 1min);
  CHECK(rig.cancel(bob));
  CHECK(waiter->state() == "Cancelled");
  CHECK_FALSE(rig.cancel(bob));
  rig.release(ann);
  CHECK(rig.broker.info("x").holders.at(0).owner == "cat");
  CHECK(rig.cancel(cat));
  CHECK(dan->state() == "granted");
}

TEST_CASE("a ticket given up while the engine is asked is no ticket any more") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann"));
  const std::string ticket = rig.enqueue(want("bob"))->busy().ticket;
  rig.engine.slow = true;
  rig.release(ann);
  rig.commit();
  const auto bob = rig.wait(ticket, 1min);
  CHECK(rig.cancel(ticket));
  CHECK(bob->state() == "Cancelled");
  CHECK(outcome([&] { rig.wait(ticket, 0s); }) == "NotHeld");
  CHECK_FALSE(rig.cancel(ticket));
  rig.commit_all();
  CHECK(rig.broker.leases().size() == 0);
}

TEST_CASE("what others of its owner have entered stays when its ticket is given up") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann"));
  const auto ticket = rig.enqueue(want("bob"))->busy().ticket;
  rig.release(ann);
  const auto other = rig.acquire(want("bob"));
  CHECK(other->granted().count == 2);
  CHECK(rig.cancel(ticket));
  CHECK(rig.broker.check("x", other->granted().token).valid);
  rig.release(other);
  CHECK(rig.broker.leases().size() == 0);
}

TEST_CASE("a ticket asked for again by its request is answered at once, with the same ticket") {
  BrokerRig rig;
  rig.acquire(want("ann"));
  const auto first = rig.enqueue(want("bob").called("r"));
  const auto again = rig.enqueue(want("bob").called("r"));
  REQUIRE(again->state() == "queued");
  CHECK(again->busy().ticket == first->busy().ticket);
  CHECK(rig.waiting() == 1);
}

TEST_CASE("no ticket is none") {
  BrokerRig rig;
  for (const char* text : {"", "0", "x", "12x", "99999999999999999999999"}) {
    CAPTURE(text);
    CHECK(outcome([&] { rig.wait(text, 0s); }) == "NotHeld");
    CHECK_FALSE(rig.cancel(text));
  }
  CHECK(outcome([&] { rig.wait("1", -1ms); }) == "InvalidArgument");
  rig.acquire(want("ann"));
  const auto call = rig.acquire(want("bob").waiting(1min));
  CHECK(outcome([&] { rig.wait(std::to_string(call->id), 0s); }) == "NotHeld");
}

TEST_CASE("a ticket is 128 random bits, and tells nothing of its neighbours") {
  BrokerRig rig;
  rig.acquire(want("ann"));
  const std::string one = rig.enqueue(want("bob"))->busy().ticket;
  const std::string other = rig.enqueue(want("cat"))->busy().ticket;
  CHECK(one.size() == 32);
  CHECK(one.find_first_not_of("0123456789abcdef") == std::string::npos);
  int same = 0;
  for (std::size_t i = 0; i < one.size(); ++i) same += one[i] == other[i] ? 1 : 0;
  CHECK(same < 16);
}

TEST_CASE("a place in a long line is told as it is, whoever leaves or comes") {
  BrokerRig rig;
  const auto ann = rig.acquire(want("ann"));
  std::vector<std::string> tickets;
  for (int i = 0; i < 300; ++i) tickets.push_back(rig.enqueue(want(std::to_string(i)))->busy().ticket);
  const auto place = [&](int i) {
    return rig.wait(tickets.at(static_cast<std::size_t>(i)), 0s)->busy().position;
  };
  CHECK(place(299) == 300);
  CHECK(place(0) == 1);
  for (int i = 100; i < 200; ++i) rig.cancel(tickets.at(static_cast<std::size_t>(i)));
  CHECK(place(99) == 100);
  CHECK(place(299) == 200);
  CHECK(rig.enqueue(want("later"))->busy().position == 201);
  rig.release(ann);
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
