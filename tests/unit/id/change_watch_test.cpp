// What is changed of a tag at one issuer holds at all of them when the change is answered.
#include "id/stores/change_watch.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "id/issuer.hpp"
#include "support/id_rigs.hpp"
#include "support/id_world.hpp"

using namespace std::chrono_literals;

namespace zerosuite::id::watch_test {

using test::Answered, test::Fate, test::IdMember, test::IdWorld;

struct Process : IdMember {
  explicit Process(IdWorld& the_world, std::int64_t worker, bool shared = true)
      : IdMember(the_world, shared) {
    IssuerOptions options;
    options.layout = layout_of("twitter");
    options.worker.claim = {.worker = worker, .workers = 1024, .owner = std::to_string(worker), .ttl = 15s};
    issuer.emplace(IssuerParts{timers, store, world.clocks()}, options, WorkerIdLease::Callback());
    issuer->start();
    store.settle();
  }
  Answered<std::int64_t> next() {
    auto answered =
        test::ask<std::int64_t>([&](auto done) { issuer->segments().next("t", std::move(done)); });
    store.settle();
    return answered;
  }
  // As tag_update() and tag_delete() do it.
  Answered<Tag> update(const TagChange& change) {
    Answered<Tag> answered;
    issuer->segments().update("t", change, spread(answered));
    return answered;
  }
  Answered<Tag> remove() {
    Answered<Tag> answered;
    issuer->segments().remove("t", spread(answered));
    return answered;
  }

  std::optional<Issuer> issuer;

 private:
  core::Done<Tag> spread(Answered<Tag>& answered) {
    return [this, answered](const core::Result<Tag>& tag) {
      issuer->watch().spread([answered, tag] { answered.done()(tag); });
    };
  }
};

struct Pair {
  Pair() { REQUIRE(world.shelf->create_tag({.name = "t", .step = 1000})); }

  // Lets time go by until it is answered; how long that took.
  core::milliseconds wait(const Answered<Tag>& answered) {
    core::milliseconds passed{0};
    for (; !answered.there() && passed < 10s; passed += 5ms) world.pass(5ms, 5ms);
    return passed;
  }

  IdWorld world;
  Process here{world, 1};
  Process there{world, 2};
};

TEST_CASE_FIXTURE(Pair, "whatever is changed of a tag, another issuer goes by it when that is answered") {
  REQUIRE(*there.next() == 1);
  CHECK(wait(here.update({.floor = 1'000'000})) < 400ms);
  CHECK(*there.next() >= 1'000'000);
  wait(here.update({.delta = 10, .remainder = 7}));
  CHECK(*there.next() % 10 == 7);
  wait(here.update({.max = 1'000'000}));
  CHECK(there.next().error() == "RangeExhausted");
  wait(here.remove());
  CHECK(there.next().error() == "NoSuchTag");
}

TEST_CASE_FIXTURE(Pair, "a mistaken floor that is lowered again is gone everywhere") {
  REQUIRE(*there.next() == 1);
  constexpr std::int64_t kGreatest = std::numeric_limits<std::int64_t>::max() - 1;
  wait(here.update({.floor = kGreatest}));
  REQUIRE(*there.next() == kGreatest);
  CHECK(there.next().error() == "RangeExhausted");
  const auto lowered = here.update({.floor = 1, .lower = true});
  wait(lowered);
  CHECK((*lowered).next == 1001);
  CHECK((*lowered).max == kGreatest - 1);
  CHECK(*there.next() >= 1001);
  CHECK(*here.next() >= 1001);
}

TEST_CASE_FIXTURE(Pair, "those who wait at another issuer get what the new rules give") {
  there.store.fate = [](std::string_view call) { return call == "reserve" ? Fate::kRefused : Fate::kDone; };
  const auto waiting = there.next();
  REQUIRE_FALSE(waiting.there());
  const auto changed = here.update({.floor = 5'000});
  wait(changed);
  there.store.fate = [](std::string_view) { return Fate::kDone; };
  world.pass(1s, 10ms);
  CHECK(*waiting >= 5'000);
}

TEST_CASE_FIXTURE(Pair, "who does not answer is waited for, but not for ever; and follows when it is back") {
  REQUIRE(*there.next() == 1);
  there.frozen = true;
  const auto changed = here.update({.floor = 1'000'000});
  const auto waited = wait(changed);
  CHECK(waited >= 1'900ms);
  CHECK(waited <= 2'100ms);
  there.frozen = false;
  world.pass(300ms, 10ms);
  CHECK(*there.next() >= 1'000'000);
}

TEST_CASE_FIXTURE(Pair, "who has given its worker id back is not waited for") {
  there.issuer->stop([] {});
  there.store.settle();
  CHECK(wait(here.update({.floor = 1'000'000})) < 400ms);
}

TEST_CASE_FIXTURE(Pair, "when the store cannot be asked, a change is answered in the end") {
  const auto changed = here.update({.floor = 1'000'000});
  here.store.fate = [](std::string_view) { return Fate::kRefused; };
  const auto waited = wait(changed);
  CHECK(changed.ok());
  CHECK(waited <= 2'100ms);
}

TEST_CASE("on a store of one process nobody is waited for, and nothing is looked at") {
  IdWorld world;
  REQUIRE(world.shelf->create_tag({.name = "t"}));
  Process alone(world, 1, false);
  const auto changed = alone.update({.floor = 1'000'000});
  alone.store.settle();
  CHECK(changed.ok());
  CHECK(alone.store.waiting() == 0);
}

TEST_CASE_FIXTURE(Pair, "a stop answers those who wait for others") {
  there.frozen = true;
  const auto changed = here.update({.floor = 1'000'000});
  world.pass(300ms, 10ms);
  REQUIRE_FALSE(changed.there());
  here.issuer->stop([] {});
  CHECK(changed.ok());
}

}  // namespace zerosuite::id::watch_test
