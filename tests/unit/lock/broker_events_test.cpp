// What sessions and watchers hear.
#include <doctest/doctest.h>

#include "support/broker_rig.hpp"

namespace zerosuite::test::broker_events_test {

using lock::Event;

TEST_CASE_FIXTURE(BrokerRig, "a session hears of its owner's locks, in order") {
  const auto ann = session("ann", 10s);
  CHECK(ann->events.at(0).text == ann->id);
  CHECK(ann->events.at(0).remaining == 10s);
  acquire(want("ann", {"x"}).leased(9s));
  acquire(want("bob", {"y"}));
  pass(5990ms);
  CHECK(ann->words == "open, granted x");
  pass(10ms);
  CHECK(ann->words == "open, granted x, expiring x");
  CHECK(ann->events.back().remaining == 3s);
  pass(3s);
  CHECK(ann->words == "open, granted x, expiring x, lost x");
  acquire(want("ann", {"z"}));
  force_release("z", "too long");
  CHECK(ann->words == "open, granted x, expiring x, lost x, granted z, revoked z");
  CHECK(ann->events.back().text == "too long");
}

TEST_CASE_FIXTURE(SessionRig,
                  "the warning comes a third of the lease before its end, also after an extension") {
  const auto x = acquire(want("ann").leased(9s));
  pass(5s);
  extend(x, 30s);
  pass(19990ms);
  CHECK(ann->words == "open, granted x");
  pass(10ms);
  CHECK(ann->words == "open, granted x, expiring x");
  release(x);
  CHECK(ann->words == "open, granted x, expiring x");
}

TEST_CASE_FIXTURE(BrokerRig, "a watcher hears of all locks whose names begin with its prefix") {
  const auto some = watch("a/");
  const auto all = watch("");
  const auto set = acquire(want("ann", {"a/1", "b"}).leased(3s));
  release(acquire(want("bob", {"a/2"})));
  pass(3s);
  CHECK(some->words == "granted a/1, granted a/2, released a/2, lost a/1");
  CHECK(all->words == "granted a/1, granted b, granted a/2, released a/2, lost a/1, lost b");
  CHECK(all->events.at(0).token == set->granted().token);
  CHECK(all->events.at(0).owner == "ann");
}

TEST_CASE_FIXTURE(BrokerRig, "what a slow listener misses is told in its place") {
  const auto all = watch("");
  acquire(want("ann", {"a"}));
  all->room = false;
  acquire(want("ann", {"b"}));
  acquire(want("ann", {"c"}));
  all->room = true;
  acquire(want("ann", {"d"}));
  acquire(want("ann", {"e"}));
  CHECK(all->words == "granted a, overflow, granted d, granted e");
  CHECK(all->events.at(1).missed == 2);
}

TEST_CASE_FIXTURE(BrokerRig, "while there is no room even for that, the misses add up") {
  const auto all = watch("");
  all->room = false;
  for (const char* name : {"a", "b", "c"}) acquire(want("ann", {name}));
  all->room = true;
  broker.events().tell(all->listener_id, {.kind = Event::Kind::kOpen});
  CHECK(all->words == "overflow, open");
  CHECK(all->events.at(0).missed == 3);
}

TEST_CASE_FIXTURE(BrokerRig,
                  "listeners may leave because of what they are told, themselves and one another") {
  const auto one = watch("");
  const auto two = watch("");
  const auto three = watch("");
  one->on_event = [&](const Event&) {
    deferred.add([&] {
      broker.events().leave(one->listener_id);
      broker.events().leave(two->listener_id);
    });
  };
  acquire(want("ann", {"x"}));
  acquire(want("ann", {"y"}));
  CHECK(one->words == "granted x");
  CHECK(two->words == "granted x");
  CHECK(three->words == "granted x, granted y");
  CHECK(broker.events().size() == 1);
}

// The client of the session is found gone when it is told of that, and the server says so later in the turn.
void lose_when_told(BrokerRig& rig, const Heard& session, Event::Kind kind) {
  session->on_event = [&rig, session = session.get(), kind](const Event& event) {
    if (event.kind == kind) rig.deferred.add([&rig, session] { rig.broker.sessions().lost(session->id); });
  };
}

TEST_CASE_FIXTURE(BrokerRig, "a session found gone while it is told of a grant takes the grant with it") {
  const auto holder = acquire(want("bob"));
  const auto ann = session("ann");
  lose_when_told(*this, ann, Event::Kind::kGranted);
  const auto first = acquire(want("ann").bound_to(ann->id).waiting(1min));
  const auto second = acquire(want("ann").bound_to(ann->id).waiting(1min));
  const auto cat = acquire(want("cat").waiting(1min));
  release(holder);
  CHECK(first->state() == "granted");
  CHECK(second->state() == "granted");
  CHECK_FALSE(broker.check("x", first->granted().token).valid);
  CHECK(cat->state() == "granted");
}

TEST_CASE_FIXTURE(SessionRig, "a session found gone while it is warned loses all that is bound to it") {
  lose_when_told(*this, ann, Event::Kind::kExpiring);
  acquire(want("ann", {"x", "y"}).bound_to(ann->id).leased(9s));
  acquire(want("ann", {"z"}).bound_to(ann->id).leased(1h));
  pass(6s);
  CHECK(broker.leases().size() == 0);
}

TEST_CASE_FIXTURE(SessionRig,
                  "a session found gone while it is told of one loss loses the rest too, each once") {
  const auto watcher = watch("");
  lose_when_told(*this, ann, Event::Kind::kRevoked);
  acquire(want("ann", {"x"}).bound_to(ann->id));
  acquire(want("ann", {"y"}).bound_to(ann->id));
  CHECK(force_release("x", "").released == 1);
  CHECK(watcher->words == "granted x, granted y, revoked x, lost y");
  CHECK(broker.leases().size() == 0);
}

TEST_CASE_FIXTURE(SessionRig, "a watcher may end holds while it is told that they are suspect") {
  const auto watcher = watch("");
  acquire(want("ann", {"x"}));
  acquire(want("ann", {"y"}));
  watcher->on_event = [&](const Event& event) {
    if (event.kind != Event::Kind::kSuspect) return;
    deferred.add([&] {
      broker.force_release("x", "", [](const auto&) {});
      broker.force_release("y", "", [](const auto&) {});
    });
  };
  lose(ann);
  finish();
  CHECK(broker.leases().size() == 0);
}

TEST_CASE_FIXTURE(BrokerRig, "a session found gone at its first word is none") {
  auto heard = std::make_shared<HeardState>();
  lock::Subscriber subscriber = heard->subscriber();
  subscriber.tell = [&](const lock::SharedEvent& event) {
    deferred.add([this, id = event->text] { broker.sessions().lost(id); });
    return false;
  };
  broker.sessions().open("ann", 10s, std::move(subscriber));
  turn();
  CHECK(broker.sessions().size() == 0);
  CHECK(broker.table().find_owner("ann") == nullptr);
}

TEST_CASE_FIXTURE(SessionRig, "all hear that the broker drains, and those of one that leaves are ended") {
  const auto watcher = watch("");
  const auto gone = watch("");
  drain();
  CHECK(ann->words == "open, drain");
  CHECK(ann->ends == 0);
  gone->on_event = [&](const Event&) { deferred.add([&] { broker.events().leave(gone->listener_id); }); };
  drain(lock::EventBus::Stay::kLeaves);
  CHECK(watcher->words == "drain, drain");
  CHECK(ann->ends == 1);
  CHECK(watcher->ends == 1);
  CHECK(gone->ends == 1);
  CHECK(broker.events().size() == 2);
}

TEST_CASE_FIXTURE(BrokerRig, "watchers are found by the beginning of a name, whatever else is watched") {
  const auto all = watch("");
  const auto jobs = watch("job");
  const auto also_jobs = watch("job");
  const auto nightly = watch("job/nightly");
  const auto whole = watch("job/nightly/1");
  const auto longer = watch("job/nightly/12");
  const auto other = watch("jab");
  release(acquire(want("ann", {"job/nightly/1"})));
  for (const auto& heard : {all, jobs, also_jobs, nightly, whole})
    CHECK(heard->words == "granted job/nightly/1, released job/nightly/1");
  CHECK(longer->words == "");
  CHECK(other->words == "");
  broker.events().leave(jobs->listener_id);
  broker.events().leave(nightly->listener_id);
  acquire(want("ann", {"job/nightly/12"}));
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
