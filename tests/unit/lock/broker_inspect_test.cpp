// What the broker shows, and what it takes as a request.
#include <doctest/doctest.h>

#include "support/broker_rig.hpp"

namespace zerosuite::test::broker_inspect_test {

TEST_CASE_FIXTURE(SessionRig, "a name shows who holds it and who waits for it") {
  const auto request = want("ann").reading().bound_to(ann->id).leased(10s);
  acquire(request.with([](auto& wanted) { wanted.spec.data = "host 1"; }));
  pass(2s);
  acquire(want("bob").waiting(1min));
  pass(1s);
  const lock::NameView view = broker.info("x");
  REQUIRE(view.holders.size() == 1);
  const lock::HolderView& holder = view.holders[0];
  CHECK(holder.owner == "ann");
  CHECK(holder.mode == lock::Mode::kShared);
  CHECK(holder.remaining == 7s);
  CHECK(holder.held == 3s);
  CHECK(holder.session == ann->id);
  CHECK(holder.data == "host 1");
  REQUIRE(view.waiters.size() == 1);
  CHECK(view.waiters[0].owner == "bob");
  CHECK(view.waiters[0].waited == 1s);
  CHECK(view.queue_length == 1);
  CHECK_FALSE(view.semaphore);
  CHECK(broker.info("free").holders.empty());
  CHECK(broker.epoch() == 7);
}

TEST_CASE_FIXTURE(BrokerRig, "of a long line the first are shown and all are counted") {
  acquire(want("ann").permits(4, 4));
  for (int i = 0; i < 150; ++i) acquire(want(std::to_string(i)).permits(1, 4).waiting(1min));
  const lock::NameView view = broker.info("x");
  CHECK(view.semaphore);
  CHECK(view.limit == 4);
  CHECK(view.waiters.size() == 100);
  CHECK(view.waiters[99].owner == "99");
  CHECK(view.queue_length == 150);
}

TEST_CASE_FIXTURE(BrokerRig, "names are listed by prefix, a page at a time") {
  for (const char* name : {"b/2", "a", "b/1", "c", "b/3"}) acquire(want("ann", {name}));
  const lock::Page first = broker.list("b/", 2, "");
  REQUIRE(first.names.size() == 2);
  CHECK(first.names[0].name == "b/1");
  CHECK(first.names[1].name == "b/2");
  CHECK(first.cursor == "b/3");
  const lock::Page last = broker.list("b/", 2, first.cursor);
  REQUIRE(last.names.size() == 1);
  CHECK(last.names[0].name == "b/3");
  CHECK(last.cursor == "");
  CHECK(broker.list("", 10, "").names.size() == 5);
}

TEST_CASE_FIXTURE(BrokerRig, "a token is good as long as its hold is there") {
  CHECK(broker.check("x", 100).current == 0);
  const auto ann = acquire(want("ann").reading().leased(5s));
  acquire(want("bob").reading().leased(9s));
  const lock::Check good = broker.check("x", ann->granted().token);
  CHECK(good.valid);
  CHECK(good.owner == "ann");
  CHECK(good.remaining == 5s);
  pass(5s);
  const lock::Check stale = broker.check("x", ann->granted().token);
  CHECK_FALSE(stale.valid);
  CHECK(stale.owner == "bob");
  CHECK(stale.current > ann->granted().token);
}

TEST_CASE_FIXTURE(BrokerRig, "an owner's holds come page by page, whatever ends or begins in between") {
  std::vector<Asked> held;
  for (int i = 0; i < 5; ++i) held.push_back(acquire(want("ann", {std::to_string(i)})));
  const auto first = broker.holds_of("ann", 2, "");
  REQUIRE(first.holds.size() == 2);
  CHECK(first.holds.at(1).first == "1");
  release(held.at(2));
  acquire(want("ann", {"later", "too"}));
  const auto second = broker.holds_of("ann", 3, first.cursor);
  REQUIRE(second.holds.size() == 4);
  CHECK(second.holds.at(0).first == "3");
  CHECK(second.holds.at(3).first == "too");
  CHECK(second.cursor == "");
  for (const char* cursor : {"x", "1x", "99999999999999999999"})
    CHECK(outcome([&] { broker.holds_of("ann", 3, cursor); }) == "InvalidArgument");
}

TEST_CASE_FIXTURE(BrokerRig, "a page ends before it is too large for an answer") {
  for (int i = 0; i < 500; ++i) {
    auto noted = want("ann", {"n" + std::to_string(1000 + i)});
    noted.spec.data = std::string(1024, 'd');
    acquire(noted);
  }
  const auto names = broker.list("n", 1000, "");
  CHECK(names.names.size() > 100);
  CHECK(names.names.size() < 300);
  CHECK(names.cursor == "n" + std::to_string(1000 + names.names.size()));
  const auto holds = broker.holds_of("ann", 1000, "");
  CHECK(holds.holds.size() > 100);
  CHECK(holds.holds.size() < 300);
  CHECK(broker.holds_of("ann", 1000, holds.cursor).holds.front().first ==
        "n" + std::to_string(1000 + holds.holds.size()));
}

TEST_CASE_FIXTURE(BrokerRig, "an owner's holds are found, by all their names") {
  const auto set = acquire(want("ann", {"x", "y"}));
  const auto z = acquire(want("ann", {"z"}));
  const auto all = broker.holds_of("ann", 1000, "").holds;
  REQUIRE(all.size() == 3);
  CHECK(all[0].first == "x");
  CHECK(all[1].first == "y");
  CHECK(all[2].second.token == z->granted().token);
  CHECK(broker.held_by("y", "ann")->token == set->granted().token);
  CHECK(broker.held_by("y", "bob") == nullptr);
  CHECK(broker.holds_of("bob", 1000, "").holds.empty());
}

// Whether it is taken, with that changed.
template <class Change>
bool takes(Change change) {
  lock::Request request = want("ann").permits(1, 1);
  change(request);
  return outcome([&] { lock::check(request, {}); }) == "ok";
}

TEST_CASE("a request's texts have their limits") {
  CHECK(takes([](auto& request) { request.spec.names = {std::string(255, 'x')}; }));
  CHECK_FALSE(takes([](auto& request) { request.spec.names = {std::string(256, 'x')}; }));
  CHECK_FALSE(takes([](auto& request) { request.spec.names = {"x", ""}; }));
  CHECK_FALSE(takes([](auto& request) { request.spec.names = {}; }));
  CHECK(takes([](auto& request) { request.spec.names.assign(64, "x"); }));
  CHECK_FALSE(takes([](auto& request) { request.spec.names.assign(65, "x"); }));
  CHECK(takes([](auto& request) { request.spec.owner = std::string(128, 'x'); }));
  CHECK_FALSE(takes([](auto& request) { request.spec.owner = std::string(129, 'x'); }));
  CHECK_FALSE(takes([](auto& request) { request.spec.request_id = std::string(129, 'x'); }));
  CHECK(takes([](auto& request) { request.spec.data = std::string(1024, 'x'); }));
  CHECK_FALSE(takes([](auto& request) { request.spec.data = std::string(1025, 'x'); }));
  CHECK(outcome([] { lock::check_owner(""); }) == "InvalidArgument");
}

TEST_CASE("a request's durations have their limits") {
  CHECK(takes([](auto& request) { request.spec.lease = 10ms; }));
  CHECK_FALSE(takes([](auto& request) { request.spec.lease = 9ms; }));
  CHECK(takes([](auto& request) { request.spec.lease = 24h; }));
  CHECK_FALSE(takes([](auto& request) { request.spec.lease = 24h + 1ms; }));
  CHECK(takes([](auto& request) { request.wait = 24h; }));
  CHECK_FALSE(takes([](auto& request) { request.wait = 24h + 1ms; }));
  CHECK_FALSE(takes([](auto& request) { request.wait = -1ms; }));
  CHECK(takes([](auto& request) { request.confirm = 30s; }));
  CHECK_FALSE(takes([](auto& request) { request.confirm = 30'001ms; }));
  CHECK_FALSE(takes([](auto& request) { request.confirm = -1ms; }));
  CHECK(takes([](auto& request) { request.spec.lock_delay = 1min; }));
  CHECK_FALSE(takes([](auto& request) { request.spec.lock_delay = 60'001ms; }));
  CHECK_FALSE(takes([](auto& request) { request.spec.lock_delay = -1ms; }));
}

TEST_CASE("permits are from one to the limit") {
  const auto takes_permits = [](std::uint32_t permits, std::uint32_t limit) {
    return takes([&](auto& request) {
      request.spec.permits = permits;
      request.spec.limit = limit;
    });
  };
  CHECK(takes_permits(4, 4));
  CHECK_FALSE(takes_permits(5, 4));
  CHECK_FALSE(takes_permits(0, 4));
  CHECK_FALSE(takes_permits(0, 0));
}

TEST_CASE("what a holder may use of its lease is less than the lease") {
  CHECK(lock::validity_of(30s) == 29'698ms);
  CHECK(lock::validity_of(10ms) == 8ms);
  CHECK(lock::validity_of(1ms) == 0ms);
}

}  // namespace zerosuite::test::broker_inspect_test
