// The line before a lock: who is next, and who leaves it.
#include <doctest/doctest.h>

#include "support/broker_rig.hpp"

namespace zerosuite::test::broker_line_test {

TEST_CASE_FIXTURE(BrokerRig, "a lock goes to those who wait, in the order of their coming") {
  auto holder = acquire(want("ann"));
  const auto bob = acquire(want("bob").waiting(1min));
  const auto cat = acquire(want("cat").waiting(1min));
  pass(5s);
  release(holder);
  REQUIRE(bob->state() == "granted");
  CHECK(bob->granted().waited == 5s);
  CHECK(cat->state() == "");
  release(bob);
  CHECK(cat->state() == "granted");
}

TEST_CASE_FIXTURE(BrokerRig, "a hold whose lease has passed goes to the next in the same turn") {
  acquire(want("ann").leased(2s));
  const auto bob = acquire(want("bob").waiting(1min));
  pass(1990ms);
  CHECK(bob->state() == "");
  timers.advance_to(timers.now() + 10ms);
  CHECK(bob->state() == "granted");
  CHECK(engine.endings == std::vector{lock::Ending::kTaken});
  CHECK(broker.counters().expired == 1);
}

TEST_CASE_FIXTURE(BrokerRig, "who has waited long enough is told so, and who holds it") {
  acquire(want("ann").leased(1min));
  const auto bob = acquire(want("bob").waiting(2s));
  pass(1990ms);
  CHECK(bob->state() == "");
  pass(10ms);
  REQUIRE(bob->state() == "timeout");
  CHECK(bob->busy().holder == "ann");
  CHECK(bob->busy().remaining == 58s);
  CHECK(waiting() == 0);
}

TEST_CASE_FIXTURE(HeldRig, "a waiter whose client is gone is passed over") {
  const auto bob = acquire(want("bob").waiting(1min));
  const auto cat = acquire(want("cat").waiting(1min));
  withdraw(bob);
  CHECK(waiting() == 1);
  release(ann);
  CHECK(cat->state() == "granted");
}

TEST_CASE_FIXTURE(
    HeldRig, "a waiter whose client is found gone while it is told leaves the lock to the next at once") {
  const auto bob = acquire(want("bob").waiting(1min).called("r"));
  const auto cat = acquire(want("cat").waiting(1min));
  vanish_when_told(bob);
  release(ann);
  CHECK(bob->state() == "granted");
  CHECK(cat->state() == "granted");
  CHECK(cat->granted().token > bob->granted().token);
  const auto again = acquire(want("bob").waiting(1min).called("r"));
  release(cat);
  CHECK(again->state() == "granted");
}

TEST_CASE_FIXTURE(HeldRig, "an entry whose client is found gone while it is told is left again") {
  engine.slow = true;
  const auto again = acquire(want("ann"));
  vanish_when_told(again);
  commit_all();
  CHECK(again->granted().count == 2);
  engine.slow = false;
  CHECK(value(release(ann)).count == 0);
}

TEST_CASE_FIXTURE(BrokerRig,
                  "what the engine grants to a client that is gone is given back, and goes to the next") {
  engine.slow = true;
  const auto ann = acquire(want("ann").called("r"));
  const auto bob = acquire(want("bob").waiting(1min));
  CHECK(ann->state() == "");
  withdraw(ann);
  commit_all();
  CHECK(bob->state() == "granted");
  engine.slow = false;
  release(bob);
  CHECK(acquire(want("ann").called("r"))->state() == "granted");
}

TEST_CASE_FIXTURE(BrokerRig, "a client that is gone takes nothing from its owner's other call") {
  engine.slow = true;
  const auto first = acquire(want("ann"));
  const auto second = acquire(want("ann").waiting(1min));
  withdraw(first);
  commit_all();
  REQUIRE(second->state() == "granted");
  CHECK(second->granted().count == 1);
  CHECK(broker.check("x", second->granted().token).valid);
}

TEST_CASE("a line is as long as the limit says, and who asks without waiting does not count") {
  BrokerRig rig({.max_waiters = 1});
  rig.acquire(want("ann"));
  rig.acquire(want("bob").waiting(1min));
  CHECK(outcome([&] { rig.acquire(want("cat").waiting(1min)); }) == "QueueFull");
  CHECK(outcome([&] { rig.enqueue(want("cat")); }) == "QueueFull");
  CHECK(rig.acquire(want("cat"))->state() == "held");
}

TEST_CASE("there are as many names as the limit says, and those in use may be waited for") {
  BrokerRig rig({.max_locks = 2});
  const auto by = [](const std::string& client, std::vector<std::string> names) {
    return want(client, std::move(names)).with([&](auto& request) { request.client = client; });
  };
  rig.acquire(by("ann", {"x"}));
  CHECK(outcome([&] { rig.acquire(by("bob", {"y", "z"})); }) == "TooManyLocks");
  const auto y = rig.acquire(by("bob", {"y"}));
  CHECK(outcome([&] { rig.acquire(by("cat", {"z"})); }) == "TooManyLocks");
  CHECK(rig.acquire(by("cat", {"y"}))->state() == "held");
  CHECK(rig.acquire(by("bob", {"y"}))->granted().count == 2);
  rig.release(y);
  rig.release(y);
  CHECK(rig.acquire(by("cat", {"z"}))->state() == "granted");
}

TEST_CASE("names that an earlier process left may be waited for, though they are more than the limit") {
  const lock::LockSpec x = want("ann", {"x"}).spec;
  const lock::LockSpec y = want("ann", {"y"}).spec;
  BrokerRig rig({.max_locks = 1}, {{x, 50, 8s}, {y, 51, 8s}});
  CHECK(rig.acquire(want("bob", {"x"}).waiting(1min))->state() == "");
  CHECK(outcome([&] { rig.acquire(want("bob", {"z"})); }) == "TooManyLocks");
}

TEST_CASE_FIXTURE(BrokerRig, "a grant after a wait lapses when nobody confirms it") {
  const auto ann = acquire(want("ann").leased(1s));
  const auto bob = acquire(want("bob").waiting(1min).leased(30s).confirming(2s));
  const auto cat = acquire(want("cat").waiting(1min).leased(30s).confirming(2s));
  pass(1s);
  CHECK(bob->granted().lease == 2s);
  pass(2s);
  REQUIRE(cat->state() == "granted");
  CHECK(outcome(extend(cat, 10s)) == "ok");
  pass(9s);
  CHECK(acquire(want("dan"))->state() == "held");
}

TEST_CASE_FIXTURE(BrokerRig, "a grant at once needs no confirmation") {
  CHECK(acquire(want("ann").leased(30s).confirming(2s))->granted().lease == 30s);
}

TEST_CASE("a client waits in its share of all lines and in no more, and goes on acquiring and releasing") {
  BrokerRig rig({.max_waiting = 8});
  const auto by = [](const std::string& client, const std::string& name) {
    return want("owner" + client, {name}).waiting(1min).with([&](auto& request) { request.client = client; });
  };
  std::vector<Asked> held;
  for (const char* name : {"a", "b", "c", "d", "e"}) held.push_back(rig.acquire(want("holder", {name})));
  const auto first = rig.acquire(by("1", "a"));
  for (const char* name : {"b", "c", "d"}) rig.acquire(by("1", name));
  CHECK(outcome([&] { rig.acquire(by("1", "e")); }) == "Overloaded");
  CHECK(outcome([&] { rig.enqueue(by("1", "e")); }) == "Overloaded");
  CHECK(rig.acquire(by("1", "free"))->state() == "granted");
  CHECK(rig.acquire(by("1", "e").waiting(0s))->state() == "held");
  CHECK(rig.acquire(by("2", "a"))->state() == "");
  rig.release(held.at(0));
  CHECK(first->state() == "granted");
  CHECK(rig.acquire(by("1", "e"))->state() == "");
  CHECK(outcome(rig.release(held.at(1))) == "ok");
}

TEST_CASE("those who wait are sent away in pieces when the broker drains, and none of them is granted") {
  BrokerRig rig;
  const auto held = rig.acquire(want("ann"));
  std::vector<Asked> waiting;
  for (int i = 0; i < 3'000; ++i) waiting.push_back(rig.acquire(want(std::to_string(i)).waiting(1min)));
  rig.piece = 10us;
  rig.drain();
  CHECK(rig.waiting() > 0);
  rig.release(held);
  CHECK(rig.broker.leases().size() == 0);
  rig.finish();
  CHECK(std::all_of(waiting.begin(), waiting.end(),
                    [](const auto& one) { return one->state() == "ShuttingDown"; }));
}

TEST_CASE("very many waits that end at once end in pieces, and who is granted meanwhile has it") {
  BrokerRig rig;
  const auto held = rig.acquire(want("ann").leased(1h));
  std::vector<Asked> waiting;
  for (int i = 0; i < 2'000; ++i) waiting.push_back(rig.acquire(want(std::to_string(i)).waiting(5s)));
  rig.piece = 10us;
  rig.pass(5s);
  CHECK(waiting.front()->state() == "timeout");
  CHECK(waiting.back()->state() == "");
  rig.release(held);
  rig.finish();
  CHECK(std::count_if(waiting.begin(), waiting.end(),
                      [](const auto& one) { return one->state() == "granted"; }) == 1);
  CHECK(rig.waiting() == 0);
}

TEST_CASE_FIXTURE(BrokerRig, "a lock that very many share is found, entered and left like any other") {
  std::vector<Asked> readers;
  for (int i = 0; i < 300; ++i) readers.push_back(acquire(want(std::to_string(i)).reading()));
  for (int i = 0; i < 300; ++i) acquire(want("7", {"of 7: " + std::to_string(i)}));
  CHECK(acquire(want("7").reading())->granted().count == 2);
  CHECK(outcome([&] { acquire(want("7", {"x", "y"})); }) == "NotReentrant");
  CHECK(acquire(want("7"))->state() == "UpgradeNotAllowed");
  const auto writer = acquire(want("writer").waiting(1min));
  for (const auto& reader : readers) release(reader);
  CHECK(broker.check("x", readers.at(7)->granted().token).valid);
  CHECK(writer->state() == "");
  release(readers.at(7));
  CHECK(writer->state() == "granted");
}

TEST_CASE_FIXTURE(
    BrokerRig,
    "very many readers come in by turns when a writer leaves, and those who came later wait behind them") {
  const auto writer = acquire(want("writer"));
  std::vector<Asked> readers;
  for (int i = 0; i < 2'000; ++i) readers.push_back(acquire(want(std::to_string(i)).reading().waiting(1min)));
  piece = 10us;
  CHECK(outcome(release(writer)) == "ok");
  CHECK(readers.front()->state() == "granted");
  CHECK(readers.back()->state() == "");
  const auto next = acquire(want("next").waiting(1min));
  const auto later = acquire(want("later").reading().waiting(1min));
  withdraw(readers.at(1'998));
  CHECK(acquire(want("aside", {"y"}))->state() == "granted");
  finish();
  CHECK(std::count_if(readers.begin(), readers.end(),
                      [](const auto& one) { return one->state() == "granted"; }) == 1'999);
  CHECK(readers.at(1'998)->times == 0);
  CHECK(next->state() == "");
  CHECK(later->state() == "");
  piece = 0us;
  for (const auto& reader : readers) {
    if (reader->times > 0) release(reader);
  }
  CHECK(next->state() == "granted");
}

TEST_CASE("very many waits are withdrawn at once, and the next in line has the lock some turns later") {
  BrokerRig rig;
  std::vector<Asked> held;
  std::vector<Asked> waiting;
  for (int i = 0; i < 1'000; ++i) {
    held.push_back(rig.acquire(want("ann", {std::to_string(i)}).reading()));
    waiting.push_back(rig.acquire(want("bob", {std::to_string(i)}).waiting(1min)));
  }
  const auto next = rig.acquire(want("cat", {"999"}).reading().waiting(1min));
  rig.piece = 10us;
  rig.one_turn = true;
  for (const auto& one : waiting) rig.withdraw(one);
  CHECK(rig.waiting() == 1);
  CHECK(next->state() == "");
  rig.finish();
  CHECK(next->state() == "granted");
  CHECK(rig.broker.counters().withdrawn == 1'000);
}

Want by(const std::string& client, const std::string& owner, std::vector<std::string> names) {
  return want(owner, std::move(names)).reading().with([&](auto& request) { request.client = client; });
}

Want heavy(const Want& light) {
  return light.with([](auto& request) { request.spec.data = std::string(1024, 'd'); });
}

TEST_CASE("a set takes a place for each of its names, and one more for each KiB that is kept of it") {
  const std::vector<std::string> seven = {"a", "b", "c", "d", "e", "f", "g"};
  const std::vector<std::string> six = {"a", "b", "c", "d", "e", "f"};
  SUBCASE("of what is held, and to keep it and to give it back it takes none") {
    BrokerRig rig({.max_locks = 32});
    const auto ann = rig.acquire(by("1", "ann", seven));
    CHECK(ann->state() == "granted");
    CHECK(rig.acquire(heavy(by("1", "bob", six)))->state() == "granted");
    CHECK(outcome([&] { rig.acquire(by("1", "cat", {"a", "b"})); }) == "TooManyLocks");
    CHECK(outcome([&] { rig.acquire(heavy(by("1", "cat", {"a"}))); }) == "TooManyLocks");
    CHECK(rig.acquire(by("1", "cat", {"a"}))->state() == "granted");
    CHECK(rig.acquire(by("2", "dan", {"a", "b"}))->state() == "granted");
    CHECK(rig.acquire(by("1", "ann", seven))->granted().count == 2);
    CHECK(outcome(rig.extend(ann, 10s)) == "ok");
    std::vector<lock::Ticketed> all;
    for (const std::string& name : seven) all.emplace_back(name, ann->granted().token);
    for (int i = 0; i < 2; ++i) rig.broker.release_many("ann", all, {}, [](const auto&) {});
    CHECK(rig.acquire(by("1", "eve", {"a", "b"}))->state() == "granted");
  }
  SUBCASE("of those who wait") {
    BrokerRig rig({.max_waiting = 32});
    rig.acquire(want("holder", seven));
    const auto ann = rig.acquire(by("1", "ann", seven).waiting(1min));
    CHECK(rig.acquire(heavy(by("1", "bob", six)).waiting(1min))->state() == "");
    CHECK(outcome([&] { rig.acquire(by("1", "cat", {"a", "b"}).waiting(1min)); }) == "Overloaded");
    CHECK(rig.acquire(by("1", "cat", {"a"}).waiting(1min))->state() == "");
    rig.withdraw(ann);
    CHECK(rig.acquire(by("1", "eve", {"a", "b"}).waiting(1min))->state() == "");
  }
  SUBCASE("of tickets") {
    BrokerRig rig({.max_tickets = 32});
    rig.acquire(want("holder", seven));
    rig.enqueue(by("1", "ann", seven));
    rig.enqueue(heavy(by("1", "bob", six)));
    CHECK(outcome([&] { rig.enqueue(by("1", "cat", {"a", "b"})); }) == "Overloaded");
    CHECK(rig.enqueue(by("1", "cat", {"a"}))->state() == "queued");
  }
}

TEST_CASE("who has waited is granted from what is kept back too, and told when that is not enough") {
  BrokerRig rig({.max_locks = 16});
  const auto x = rig.acquire(want("holder", {"x"}).with([](auto& request) { request.client = "holder"; }));
  for (const char* name : {"p", "q"}) rig.acquire(by("two", "two", {name}));
  rig.acquire(by("one", "one", {"r"}));
  for (int i = 0; i < 11; ++i) rig.acquire(by(std::to_string(i), "filler", {std::to_string(i)}));
  CHECK(outcome([&] { rig.acquire(by("new", "new", {"p"})); }) == "TooManyLocks");
  const auto two = rig.acquire(by("two", "two", {"x"}).waiting(1min));
  const auto one = rig.acquire(by("one", "one", {"x"}).waiting(1min));
  rig.release(x);
  CHECK(two->state() == "TooManyLocks");
  CHECK(one->state() == "granted");
}

TEST_CASE_FIXTURE(
    BrokerRig, "a lock that very many share is taken from them in pieces, but not from who comes meanwhile") {
  for (int i = 0; i < 3'000; ++i) acquire(want(std::to_string(i)).reading());
  piece = 10us;
  const auto revoked =
      answered<lock::Revoked>([&](auto done) { broker.force_release("x", "", std::move(done)); });
  CHECK(outcome(revoked) == "");
  const auto later = acquire(want("later").reading());
  REQUIRE(later->state() == "granted");
  finish();
  CHECK(test::value(revoked).released == 3'000);
  CHECK(broker.info("x").holder_count == 1);
  CHECK(test::value(revoked).token <= later->granted().token);
}

}  // namespace zerosuite::test::broker_line_test
