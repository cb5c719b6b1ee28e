// What is changed of a tag at one issuer holds at all of them when the change is answered.
#include "id/stores/change_watch.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "id/issuer.hpp"
#include "support/id_calls.hpp"
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

TEST_CASE("whatever is changed of a tag, another issuer goes by it when that is answered") {
  Pair pair;
  REQUIRE(*pair.there.next() == 1);
  CHECK(pair.wait(pair.here.update({.floor = 1'000'000})) < 400ms);
  CHECK(*pair.there.next() >= 1'000'000);
  pair.wait(pair.here.update({.delta = 10, .remainder = 7}));
  CHECK(*pair.there.next() % 10 == 7);
  pair.wait(pair.here.update({.max = 1'000'000}));
  CHECK(pair.there.next().error() == "RangeExhausted");
  pair.wait(pair.here.remove());
  CHECK(pair.there.next().error() == "NoSuchTag");
}

TEST_CASE("a mistaken floor that is lowered again is gone everywhere") {
  Pair pair;
  REQUIRE(*pair.there.next() == 1);
  constexpr std::int64_t kGreatest = std::numeric_limits<std::int64_t>::max() - 1;
  pair.wait(pair.here.update({.floor = kGreatest}));
  REQUIRE(*pair.there.next() == kGreatest);
  CHECK(pair.there.next().error() == "RangeExhausted");
  const auto lowered = pair.here.update({.floor = 1, .lower = true});
  pair.wait(lowered);
  CHECK((*lowered).next == 1001);
  CHECK((*lowered).max == kGreatest - 1);
  CHECK(*pair.there.next() >= 1001);
  CHECK(*pair.here.next() >= 1001);
}

TEST_CASE("those who wait at another issuer get what the new rules give") {
  Pair pair;
  pair.there.store.fate = [](std::string_view call) {
    return call == "reserve" ? Fate::kRefused : Fate::kDone;
  };
  const auto waiting = pair.there.next();
  REQUIRE_FALSE(waiting.there());
  const auto changed = pair.here.update({.floor = 5'000});
  pair.wait(changed);
  pair.there.store.fate = [](std::string_view) { return Fate::kDone; };
  pair.world.pass(1s, 10ms);
  CHECK(*waiting >= 5'000);
}

TEST_CASE("who does not answer is waited for, but not for ever; and follows when it is back") {
  Pair pair;
  REQUIRE(*pair.there.next() == 1);
  pair.there.frozen = true;
  const auto changed = pair.here.update({.floor = 1'000'000});
  const auto waited = pair.wait(changed);
  CHECK(waited >= 1'900ms);
  CHECK(waited <= 2'100ms);
  pair.there.frozen = false;
  pair.world.pass(300ms, 10ms);
  CHECK(*pair.there.next() >= 1'000'000);
}

TEST_CASE("who has given its worker id back is not waited for") {
  Pair pair;
  pair.there.issuer->stop([] {});
  pair.there.store.settle();
  CHECK(pair.wait(pair.here.update({.floor = 1'000'000})) < 400ms);
}

TEST_CASE("when the store cannot be asked, a change is answered in the end") {
  Pair pair;
  const auto changed = pair.here.update({.floor = 1'000'000});
  pair.here.store.fate = [](std::string_view) { return Fate::kRefused; };
  const auto waited = pair.wait(changed);
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

TEST_CASE("a stop answers those who wait for others") {
  Pair pair;
  pair.there.frozen = true;
  const auto changed = pair.here.update({.floor = 1'000'000});
  pair.world.pass(300ms, 10ms);
  REQUIRE_FALSE(changed.there());
  pair.here.issuer->stop([] {});
  CHECK(changed.ok());
}

}  // namespace zerosuite::id::watch_test
