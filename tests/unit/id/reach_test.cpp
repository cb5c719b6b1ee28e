// Rising ids over restarts: they go on above, whatever the clock says, and however the process before ended.
#include "id/clock/reach.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <map>
#include <string>

#include "id/issuer.hpp"
#include "support/id_rigs.hpp"
#include "support/id_world.hpp"

using namespace std::chrono_literals;

namespace zerosuite::id::reach_test {

using core::milliseconds;
using test::Fate, test::IdMember, test::IdWorld, test::kRising;

struct Process : IdMember {
  explicit Process(IdWorld& the_world, bool shared = false) : IdMember(the_world, shared) {
    IssuerOptions options;
    options.layout = layout_of("twitter");
    options.worker.claim = {.worker = 3, .workers = 1024, .owner = "ann", .ttl = 15s};
    issuer.emplace(IssuerParts{timers, store, world.clocks()}, options, WorkerIdLease::Callback());
    issuer->start();
    store.settle();
  }
  std::string one(RandomKind kind) {
    std::string id = issuer->random_ids().issue(kind, 1).front();
    store.settle();
    return id;
  }
  void stop() {
    issuer->stop([] {});
    store.settle();
  }
  std::int64_t kept() { return world.shelf->next({Key::Kind::kTicks, "time/3"}); }

  std::optional<Issuer> issuer;
};

TEST_CASE("after any end, and with any clock, rising ids go on above those before") {
  for (const bool clean : {false, true}) {
    IdWorld world;
    std::map<RandomKind, std::string> last;
    for (const milliseconds step : {0ms, -1ms, -999ms, -60'000ms, -86'400'000ms, 3'000ms, 0ms, 0ms}) {
      CAPTURE(step.count());
      world.clocks().step(step);
      Process process(world);
      REQUIRE(process.issuer->ready());
      for (const RandomKind kind : kRising) {
        for (int i = 0; i < 300; ++i) {
          const std::string id = process.one(kind);
          REQUIRE(id > last[kind]);
          last[kind] = id;
        }
        for (const std::string& id : process.issuer->random_ids().issue(kind, 20'000)) {
          REQUIRE(id > last[kind]);
          last[kind] = id;
        }
        process.store.settle();
      }
      world.pass(2'500ms, 50ms);
      for (const RandomKind kind : kRising) REQUIRE((last[kind] = process.one(kind)) > "");
      if (clean) process.stop();
    }
  }
}

TEST_CASE("a clean stop gives the time back that no id has used") {
  IdWorld world;
  Process process(world);
  process.one(RandomKind::kUlid);
  const std::int64_t now_ms = process.issuer->time().look().ns / 1'000'000;
  CHECK(process.kept() > now_ms + 2);
  process.stop();
  CHECK(process.kept() == now_ms + 1);
}

TEST_CASE("nothing is written while no rising id is asked for") {
  IdWorld world;
  Process process(world);
  const std::size_t before = process.store.reserves;
  for (int i = 0; i < 100; ++i) {
    process.one(RandomKind::kUuid4);
    process.one(RandomKind::kXid);
    world.pass(100ms, 100ms);
  }
  CHECK(process.store.reserves == before);
}

TEST_CASE("without the store rising ids are given all the same, and it is asked again") {
  IdWorld world;
  Process process(world);
  process.store.fate = [](std::string_view) { return Fate::kRefused; };
  std::string last;
  for (int i = 0; i < 100; ++i) {
    world.pass(100ms, 100ms);
    const std::string id = process.one(RandomKind::kUuid7);
    REQUIRE(id > last);
    last = id;
  }
  process.store.fate = [](std::string_view) { return Fate::kDone; };
  world.pass(1s, 100ms);
  process.one(RandomKind::kUuid7);
  CHECK(process.kept() > process.issuer->time().look().ns / 1'000'000);
}

TEST_CASE("what is borrowed beyond what is kept can wait until that is kept, or cannot be") {
  for (const Fate fate : {Fate::kDone, Fate::kRefused}) {
    IdWorld world;
    world.clocks().step(-1ms);  // what the first one reserves does not end with a second
    Process(world).one(RandomKind::kUlid);
    Process process(world);
    process.store.fate = [fate](std::string_view) { return fate; };
    CHECK(process.issuer->reach().kept());
    process.issuer->random_ids().issue(RandomKind::kKsuid, 1);
    REQUIRE_FALSE(process.issuer->reach().kept());
    bool told = false;
    process.issuer->reach().once_kept([&] { told = true; });
    CHECK_FALSE(told);
    process.store.settle();
    CHECK(told);
    process.issuer->random_ids().issue(RandomKind::kKsuid, 1);
    CHECK(process.issuer->reach().kept());
  }
}

TEST_CASE("who is killed again and again does not run ahead of the clock") {
  IdWorld world;
  for (const milliseconds life : {1ms, 100ms, 1'000ms, 5'000ms}) {
    for (int start = 0; start < 300; ++start) {
      Process process(world);
      for (milliseconds lived{0}; lived < life; lived += 100ms) {
        process.one(RandomKind::kUuid7);
        process.one(RandomKind::kUlid);
        world.pass(std::min(100ms, life), 100ms);
      }
      world.pass(50ms, 50ms);  // until somebody starts it again
    }
    Process process(world);
    CAPTURE(life.count());
    CHECK(process.kept() - process.issuer->time().look().ns / 1'000'000 < 6'000);
  }
}

}  // namespace zerosuite::id::reach_test
