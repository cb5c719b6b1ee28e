// Which workers the proxy takes: one owner for each state, no stranger under another's id; and how long it
// knows a service that has no worker.
#include "proxy/admission.hpp"

#include <doctest/doctest.h>

#include "support/router_rig.hpp"

namespace zerosuite::test::admission_test {

// A worker of the lock service with data of its own.
Offer keeper(const std::string& state, const std::string& key = "k1", const std::string& lock = {}) {
  Offer offer{.service = "lock", .methods = {"acquire"}};
  offer.key = key;
  offer.state = {.id = state, .where = "host:/" + state, .lock = lock};
  return offer;
}

Offer sharer(const std::string& state, const std::string& key) {
  Offer offer = keeper(state, key);
  offer.state.shared = true;
  return offer;
}

TEST_CASE_FIXTURE(RouterRig, "workers that keep nothing are taken, however many") {
  CHECK(apply("m1") != nullptr);
  CHECK(apply("m2") != nullptr);
  CHECK(registry.bound().empty());
}

TEST_CASE_FIXTURE(
    RouterRig, "a state has one owner: a second process with the same data is refused, by name and place") {
  REQUIRE(apply("l1", keeper("aa", "k1", "boot:1:7")) != nullptr);
  CHECK(apply("l2", keeper("aa", "k2", "boot:1:8")) == nullptr);
  CHECK(refusal ==
        "StateConflict: lock is served by worker l1 with state aa at host:/aa, and by that one alone; worker "
        "l2 has "
        "state aa at host:/aa");
  CHECK(registry.worker("l1") != nullptr);
}

TEST_CASE("it is taken when the first has gone, whether or not anybody has noticed") {
  RouterRig rig;
  FakeOutlet& first = *rig.apply("l1", keeper("aa", "k1"));
  const auto call = rig.call("acquire", "n");
  SUBCASE("noticed") { rig.lose(first); }
  SUBCASE("not noticed") { first.sent = net::Sent::kGone; }
  CHECK(rig.apply("l2", keeper("aa", "k2")) != nullptr);
  CHECK(rig.heard(call).starts_with("ERR [\"WorkerLost\""));
  CHECK(rig.registry.workers().size() == 1);
}

TEST_CASE_FIXTURE(RouterRig,
                  "who holds the lock of the folder itself is its owner now: the process before has ended") {
  REQUIRE(apply("l1", keeper("aa", "k1", "boot:1:7")) != nullptr);
  CHECK(apply("l2", keeper("aa", "k2", "boot:1:7")) != nullptr);
  CHECK(registry.worker("l1") == nullptr);
}

TEST_CASE_FIXTURE(RouterRig, "a process may register twice, at two doors of the proxy") {
  REQUIRE(apply("l1", keeper("aa", "k1", "boot:1:7")) != nullptr);
  CHECK(apply("l1.2", keeper("aa", "k1", "boot:1:7")) != nullptr);
  CHECK(registry.workers().size() == 2);
}

TEST_CASE_FIXTURE(
    RouterRig,
    "a service belongs to its first state, also after its worker has left, until it is forgotten") {
  FakeOutlet& first = *apply("l1", keeper("aa", "k1"));
  const std::string why =
      "StateConflict: the calls of lock belong to state aa at host:/aa; worker l2 has state bb at host:/bb; "
      "proxy.forget(\"lock\") ends that when nothing the first has given out counts any more";
  CHECK(apply("l2", keeper("bb", "k2")) == nullptr);
  CHECK(refusal == why);
  lose(first);
  CHECK(apply("l2", keeper("bb", "k2")) == nullptr);
  CHECK(refusal == why);
  CHECK(apply("l3", {.service = "lock"}) == nullptr);
  CHECK(refusal.starts_with(
      "StateConflict: the calls of lock belong to state aa at host:/aa; worker l3 has no "));
  pass(24h);
  CHECK(apply("l2", keeper("bb", "k2")) == nullptr);

  CHECK(registry.unbind("lock")->id == "aa");
  CHECK_FALSE(registry.unbind("lock"));
  CHECK(apply("l2", keeper("bb", "k2")) != nullptr);
  CHECK(apply("l1", keeper("aa", "k1")) == nullptr);
}

TEST_CASE_FIXTURE(RouterRig,
                  "a state that several may serve has any number of workers, and still no others") {
  REQUIRE(apply("i1", sharer("aa", "k1")) != nullptr);
  CHECK(apply("i2", sharer("aa", "k2")) != nullptr);
  CHECK(apply("i3", sharer("bb", "k3")) == nullptr);
  CHECK(apply("i4", keeper("aa", "k4")) == nullptr);
}

TEST_CASE_FIXTURE(RouterRig, "a worker with data does not join those without") {
  FakeOutlet& plain = *apply("l0", {.service = "lock"});
  CHECK(apply("l1", keeper("aa")) == nullptr);
  CHECK(refusal ==
        "StateConflict: lock is served by worker l0 with no state, and by that one alone; worker l1 has "
        "state aa at "
        "host:/aa");
  lose(plain);
  CHECK(apply("l1", keeper("aa")) != nullptr);
}

TEST_CASE_FIXTURE(RouterRig, "states of different services have nothing to do with each other") {
  REQUIRE(apply("l1", keeper("aa", "k1")) != nullptr);
  Offer other = keeper("bb", "k2");
  other.service = "id";
  CHECK(apply("i1", other) != nullptr);
}

TEST_CASE_FIXTURE(
    RouterRig,
    "a process that comes back replaces itself; a stranger under its id is refused while it is there") {
  FakeOutlet& known = *apply("m1", {.key = "secret"});
  CHECK(apply("m1", {.key = "guess"}) == nullptr);
  CHECK(refusal == "InvalidArgument: the id m1 is another worker's");
  CHECK(apply("m1", {}) == nullptr);
  CHECK(known.worker != nullptr);

  FakeOutlet* const again = apply("m1", {.key = "secret"});
  CHECK(again != nullptr);
  CHECK(known.lost_for == "it registered anew");
  again->sent = net::Sent::kGone;
  CHECK(apply("m1", {.key = "another"}) != nullptr);
}

TEST_CASE_FIXTURE(RouterRig, "workers of before, which show no key, replace one another under one id") {
  apply("m1");
  CHECK(apply("m1") != nullptr);
  CHECK(registry.workers().size() == 1);
}

TEST_CASE_FIXTURE(RouterRig, "no more workers are taken than max_workers") {
  const proxy::AdmissionOptions two{.max_workers = 2};
  apply("m1", {}, two);
  apply("m2", {}, two);
  CHECK(apply("m3", {}, two) == nullptr);
  CHECK(refusal == "Overloaded: there are 2 workers already");
}

TEST_CASE_FIXTURE(
    RouterRig,
    "beyond max_services one without workers makes room, the one that left first; one with workers never") {
  const proxy::AdmissionOptions three{.max_services = 3};
  FakeOutlet& b = *apply("b1", {.service = "b"}, three);
  pass(1s);
  FakeOutlet& a = *apply("a1", {.service = "a"}, three);
  apply("c1", {.service = "c"}, three);
  CHECK(apply("d1", {.service = "d"}, three) == nullptr);
  CHECK(refusal == "Overloaded: there are 3 services already");
  lose(b);
  pass(1s);
  lose(a);
  CHECK(apply("d1", {.service = "d"}, three) != nullptr);
  CHECK_FALSE(registry.services().contains("b"));
  CHECK(registry.services().contains("a"));
  CHECK(apply("e1", {.service = "e"}, three) != nullptr);
  CHECK(apply("f1", {.service = "f"}, three) == nullptr);
}

TEST_CASE_FIXTURE(RouterRig, "no more services are bound to states than max_services, known or not") {
  const proxy::AdmissionOptions one{.max_services = 1};
  lose(*apply("l1", keeper("aa"), one));
  Offer other = keeper("bb");
  other.service = "id";
  CHECK(apply("i1", other, one) == nullptr);
  CHECK(refusal == "Overloaded: 1 services belong to a state already");
  CHECK(apply("m1", {}, one) != nullptr);
}

TEST_CASE(
    "a service without workers is known for forget_ms, and then its names are as if it had never been") {
  RouterRig rig({.dispatch = {.forget_for = 1h, .limits = {}, .balance = {}}, .settle = -1ms});
  rig.join("m1");
  FakeOutlet& other = rig.join("p1", {.service = "peer", .methods = {"add", "talk"}});
  CHECK(rig.heard(rig.call("add")).starts_with("ERR [\"AmbiguousMethod\""));
  rig.lose(other);
  rig.pass(59min);
  CHECK(rig.heard(rig.call("add")).starts_with("ERR [\"AmbiguousMethod\""));
  const auto waiting = rig.call("talk");
  rig.pass(1s);
  CHECK(rig.heard(waiting).starts_with("ERR [\"Unavailable\""));
  rig.pass(1min);
  CHECK(rig.heard(rig.call("add")).empty());
  CHECK(rig.heard(rig.call("talk")) == err("NameError", "talk"));
  CHECK(rig.heard(rig.call("peer.talk")) == err("NameError", "peer.talk: no such service"));
  CHECK(rig.registry.services().size() == 1);
}

TEST_CASE("a service whose worker comes back in time is not forgotten when the first one's hour is over") {
  RouterRig rig({.dispatch = {.forget_for = 1h, .limits = {}, .balance = {}}, .settle = -1ms});
  rig.lose(rig.join("m1"));
  rig.pass(50min);
  FakeOutlet& again = rig.join("m2");
  rig.pass(30min);
  CHECK(rig.heard(rig.call("add")).empty());
  rig.lose(again);
  rig.pass(50min);
  CHECK(rig.heard(rig.call("nosuch")) == err("NameError", "nosuch"));
  const auto known = rig.call("add");
  CHECK(rig.heard(known).empty());
  rig.pass(11min);
  CHECK(rig.heard(rig.call("add")) == err("NameError", "add"));
}

TEST_CASE("a service for which calls wait is forgotten once they have been answered") {
  RouterRig rig(
      {.dispatch = {.no_worker_for = 5s, .forget_for = 1s, .limits = {}, .balance = {}}, .settle = -1ms});
  rig.lose(rig.join("m1"));
  const auto call = rig.call("add");
  rig.pass(4s);
  CHECK(rig.registry.services().size() == 1);
  rig.pass(3s);
  CHECK(rig.heard(call).find("Unavailable") != std::string::npos);
  CHECK(rig.registry.services().empty());
}

TEST_CASE("a stream that waits for credit to say that its worker was lost outlives its service's name") {
  RouterRig rig({.dispatch = {.forget_for = 1s, .limits = {}, .balance = {}}, .settle = -1ms});
  FakeOutlet& worker = rig.join("m1");
  const auto stream = rig.call("count", 10);
  rig.answer(worker, stream, "STREAM", packed(1));
  rig.lose(worker);
  rig.pass(5s);
  CHECK(rig.registry.services().empty());
  rig.heard(stream);
  rig.tell(stream, "_zpc_more", 1);
  CHECK(rig.heard(stream).starts_with("ERR [\"WorkerLost\""));
  CHECK(rig.open() == 0);
}

}  // namespace zerosuite::test::admission_test
