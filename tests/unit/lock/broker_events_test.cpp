// What sessions and watchers hear.
#include <doctest/doctest.h>

#include "support/broker_rig.hpp"

namespace zerosuite::test::broker_events_test {

using namespace std::chrono_literals;
using lock::Event;

TEST_CASE("a session hears of its owner's locks, in order") {
  BrokerRig rig;
  const auto ann = rig.session("ann", 10s);
  CHECK(ann->events.at(0).text == ann->id);
  CHECK(ann->events.at(0).remaining == 10s);
  rig.acquire(want("ann", {"x"}).leased(9s));
  rig.acquire(want("bob", {"y"}));
  rig.pass(5990ms);
  CHECK(ann->words == "open, granted x");
  rig.pass(10ms);
  CHECK(ann->words == "open, granted x, expiring x");
  CHECK(ann->events.back().remaining == 3s);
  rig.pass(3s);
  CHECK(ann->words == "open, granted x, expiring x, lost x");
  rig.acquire(want("ann", {"z"}));
  rig.force_release("z", "too long");
  CHECK(ann->words == "open, granted x, expiring x, lost x, granted z, revoked z");
  CHECK(ann->events.back().text == "too long");
}

TEST_CASE("the warning comes a third of the lease before its end, also after an extension") {
  BrokerRig rig;
  const auto ann = rig.session("ann");
  const auto x = rig.acquire(want("ann").leased(9s));
  rig.pass(5s);
  rig.extend(x, 30s);
  rig.pass(19990ms);
  CHECK(ann->words == "open, granted x");
  rig.pass(10ms);
  CHECK(ann->words == "open, granted x, expiring x");
  rig.release(x);
  CHECK(ann->words == "open, granted x, expiring x");
}

TEST_CASE("a watcher hears of all locks whose names begin with its prefix") {
  BrokerRig rig;
  const auto some = rig.watch("a/");
  const auto all = rig.watch("");
  const auto set = rig.acquire(want("ann", {"a/1", "b"}).leased(3s));
  rig.release(rig.acquire(want("bob", {"a/2"})));
  rig.pass(3s);
  CHECK(some->words == "granted a/1, granted a/2, released a/2, lost a/1");
  CHECK(all->words == "granted a/1, granted b, granted a/2, released a/2, lost a/1, lost b");
  CHECK(all->events.at(0).token == set->granted().token);
  CHECK(all->events.at(0).owner == "ann");
}

TEST_CASE("what a slow listener misses is told in its place") {
  BrokerRig rig;
  const auto all = rig.watch("");
  rig.acquire(want("ann", {"a"}));
  all->room = false;
  rig.acquire(want("ann", {"b"}));
  rig.acquire(want("ann", {"c"}));
  all->room = true;
  rig.acquire(want("ann", {"d"}));
  rig.acquire(want("ann", {"e"}));
  CHECK(all->words == "granted a, overflow, granted d, granted e");
  CHECK(all->events.at(1).missed == 2);
}

TEST_CASE("while there is no room even for that, the misses add up") {
  BrokerRig rig;
  const auto all = rig.watch("");
  all->room = false;
  for (const char* name : {"a", "b", "c"}) rig.acquire(want("ann", {name}));
  all->room = true;
  rig.broker.events().tell(all->listener_id, {.kind = Event::Kind::kOpen});
  CHECK(all->words == "overflow, open");
  CHECK(all->events.at(0).missed == 3);
}

TEST_CASE("listeners may leave because of what they are told, themselves and one another") {
  BrokerRig rig;
  const auto one = rig.watch("");
  const auto two = rig.watch("");
  const auto three = rig.watch("");
  one->on_event = [&](const Event&) {
    rig.timers.later([&] {
      rig.broker.events().leave(one->listener_id);
      rig.broker.events().leave(two->listener_id);
    });
  };
  rig.acquire(want("ann", {"x"}));
  rig.acquire(want("ann", {"y"}));
  CHECK(one->words == "granted x");
  CHECK(two->words == "granted x");
  CHECK(three->words == "granted x, granted y");
  CHECK(rig.broker.events().size() == 1);
}

// The client of the session is found gone when it is told of that, and the server says so later in the turn.
void lose_when_told(BrokerRig& rig, const test::Heard& session, Event::Kind kind) {
  session->on_event = [&rig, session = session.get(), kind](const Event& event) {
    if (event.kind == kind) rig.timers.later([&rig, session] { rig.broker.sessions().lost(session->id); });
  };
}

TEST_CASE("a session found gone while it is told of a grant takes the grant with it") {
  BrokerRig rig;
  const auto holder = rig.acquire(want("bob"));
  const auto ann = rig.session("ann");
  lose_when_told(rig, ann, Event::Kind::kGranted);
  const auto first = rig.acquire(want("ann").bound_to(ann->id).waiting(1min));
  const auto second = rig.acquire(want("ann").bound_to(ann->id).waiting(1min));
  const auto cat = rig.acquire(want("cat").waiting(1min));
  rig.release(holder);
  CHECK(first->state() == "granted");
  CHECK(second->state() == "granted");
  CHECK_FALSE(rig.broker.check("x", first->granted().token).valid);
  CHECK(cat->state() == "granted");
}

TEST_CASE("a session found gone while it is warned loses all that is bound to it") {
  BrokerRig rig;
  const auto ann = rig.session("ann");
  lose_when_told(rig, ann, Event::Kind::kExpiring);
  rig.acquire(want("ann", {"x", "y"}).bound_to(ann->id).leased(9s));
  rig.acquire(want("ann", {"z"}).bound_to(ann->id).leased(1h));
  rig.pass(6s);
  CHECK(rig.broker.leases().size() == 0);
}

TEST_CASE("a session found gone while it is told of one loss loses the rest too, each once") {
  BrokerRig rig;
  const auto ann = rig.session("ann");
  const auto watcher = rig.watch("");
  lose_when_told(rig, ann, Event::Kind::kRevoked);
  rig.acquire(want("ann", {"x"}).bound_to(ann->id));
  rig.acquire(want("ann", {"y"}).bound_to(ann->id));
  CHECK(rig.force_release("x", "").released == 1);
  CHECK(watcher->words == "granted x, granted y, revoked x, lost y");
  CHECK(rig.broker.leases().size() == 0);
}

TEST_CASE("a watcher may end holds while it is told that they are suspect") {
  BrokerRig rig;
  const auto ann = rig.session("ann");
  const auto watcher = rig.watch("");
  rig.acquire(want("ann", {"x"}));
  rig.acquire(want("ann", {"y"}));
  watcher->on_event = [&](const Event& event) {
    if (event.kind != Event::Kind::kSuspect) return;
    rig.timers.later([&] {
      rig.broker.force_release("x", "", [](const auto&) {});
      rig.broker.force_release("y", "", [](const auto&) {});
    });
  };
  rig.lose(ann);
  rig.finish();
  CHECK(rig.broker.leases().size() == 0);
}

TEST_CASE("a session found gone at its first word is none") {
  BrokerRig rig;
  auto heard = std::make_shared<test::HeardState>();
  lock::Subscriber subscriber = heard->subscriber();
  subscriber.tell = [&](const lock::SharedEvent& event) {
    rig.timers.later([&rig, id = event->text] { rig.broker.sessions().lost(id); });
    return false;
  };
  rig.broker.sessions().open("ann", 10s, std::move(subscriber));
  rig.turn();
  CHECK(rig.broker.sessions().size() == 0);
  CHECK(rig.broker.table().find_owner("ann") == nullptr);
}

TEST_CASE("all hear that the broker drains, and those of one that leaves are ended") {
  BrokerRig rig;
  const auto ann = rig.session("ann");
  const auto watcher = rig.watch("");
  const auto gone = rig.watch("");
  rig.drain();
  CHECK(ann->words == "open, drain");
  CHECK(ann->ends == 0);
  gone->on_event = [&](const Event&) {
    rig.timers.later([&] { rig.broker.events().leave(gone->listener_id); });
  };
  rig.drain(lock::EventBus::Stay::kLeaves);
  CHECK(watcher->words == "drain, drain");
  CHECK(ann->ends == 1);
  CHECK(watcher->ends == 1);
  CHECK(gone->ends == 1);
  CHECK(rig.broker.events().size() == 2);
}

TEST_CASE("watchers are found by the beginning of a name, whatever else is watched") {
  BrokerRig rig;
  const auto all = rig.watch("");
  const auto jobs = rig.watch("job");
  const auto also_jobs = rig.watch("job");
  const auto nightly = rig.watch("job/nightly");
  const auto whole = rig.watch("job/nightly/1");
  const auto longer = rig.watch("job/nightly/12");
  const auto other = rig.watch("jab");
  rig.release(rig.acquire(want("ann", {"job/nightly/1"})));
  for (const auto& heard : {all, jobs, also_jobs, nightly, whole})
    CHECK(heard->words == "granted job/nightly/1, released job/nightly/1");
  CHECK(longer->words == "");
  CHECK(other->words == "");
  rig.broker.events().leave(jobs->listener_id);
  rig.broker.events().leave(nightly->listener_id);
  rig.acquire(want("ann", {"job/nightly/12"}));
  CHECK(jobs->events.size() == 2);
  CHECK(nightly->events.size() == 2);
  CHECK(also_jobs->events.size() == 3);
  CHECK(longer->words == "granted job/nightly/12");
}

TEST_CASE("a client has its share of those who listen, and no more") {
  lock::EventBus events(8);
  const auto listen = [&](const std::string& client) {
    return events.join_prefix("", {.tell = [](const auto&) { return true; }, .end = [] {}, .client = client});
  };
  const auto first = listen("1");
  for (int i = 0; i < 3; ++i) listen("1");
  CHECK(outcome([&] { listen("1"); }) == "Overloaded");
  listen("2");
  events.leave(first);
  listen("1");
}

}  // namespace zerosuite::test::broker_events_test
