// Several issuers on one store: who may issue, and from where on.
#include <doctest/doctest.h>

#include <chrono>
#include <memory>

#include "id/snowflake/snowflake.hpp"
#include "support/id_world.hpp"

namespace zerosuite::test::snowflake_leases_test {

using core::milliseconds;

void refuse(IdProcess& process, std::string_view call) {
  process.store.fate = [call](std::string_view name) { return name == call ? Fate::kRefused : Fate::kDone; };
}

TEST_CASE("before a worker id is granted there are no ids") {
  IdWorld world;
  IdSetup setup;
  setup.started = false;
  IdProcess process(world, setup);
  const auto refused = process.get();
  REQUIRE(refused->state() == "LeaseLost");
  CHECK(refused->message() == "no worker id: no worker id was granted yet");
  CHECK_FALSE(process.one());
}

TEST_CASE("with a lease that was not renewed in time ids end at once, for those who wait too") {
  IdWorld world;
  IdProcess process(world, leased("ann"));
  CHECK(process.get()->state() == "ids");
  process.store.fate = [](std::string_view call) {
    return call == "renew" || call == "claim" ? Fate::kRefused : Fate::kDone;
  };
  world.pass(13s - 1ms);
  CHECK(process.get()->state() == "ids");
  world.pass(1ms);
  CHECK_FALSE(process.one());
  REQUIRE(process.take()->state() == "LeaseLost");
  process.store.fate = [](std::string_view) { return Fate::kDone; };
  world.pass(500ms);
  CHECK(process.get()->state() == "ids");
}

TEST_CASE("who waits for the store when the lease ends hears of it") {
  IdWorld world;
  IdProcess process(world, leased("ann"));
  process.get();
  process.store.fate = [](std::string_view) { return Fate::kRefused; };
  world.pass(12s);
  const auto parked = process.take();
  CHECK(parked->state() == "waits");
  world.pass(2s);
  CHECK(parked->state() == "LeaseLost");
}

TEST_CASE("a machine that was suspended has lost its lease, and gets another") {
  IdWorld world;
  IdProcess process(world, leased("ann"));
  const std::int64_t last = process.get()->ids().back();
  world.clocks().pass(30s);
  CHECK(process.take()->state() == "LeaseLost");
  world.pass(5s);
  const auto answer = process.get();
  REQUIRE(answer->state() == "ids");
  CHECK(answer->ids().front() > last);
}

TEST_CASE_FIXTURE(AnnRig, "who takes a worker id over leaves out a window above what the store knows") {
  const std::int64_t last = ann.get()->ids().back();
  const std::int64_t end = world.shelf->next(ann.key());
  ann.frozen = true;
  world.pass(15s);
  IdProcess bob(world, leased("bob"));
  const std::int64_t now = bob.now_tick();
  CHECK(now > end);
  const auto answer = bob.get();
  REQUIRE(answer->state() == "ids");
  CHECK(bob.tick_of(answer->ids().front()) == now + 3000);
  CHECK(answer->ids().front() > last);
}

TEST_CASE("a window of the owner before that the store has forgotten is not used again") {
  IdWorld world(2);
  world.machines[0].step(5min);
  IdProcess ann(world, leased("ann"));
  ann.get();
  const std::int64_t forgotten = world.shelf->next(ann.key());
  world.pass(1600ms);
  ann.get();
  const std::int64_t end = world.shelf->next(ann.key());
  REQUIRE(end > forgotten);
  world.shelf->set_next(ann.key(), forgotten);  // a fail-over to a copy that had not got it yet
  ann.frozen = true;
  world.pass(15s);
  IdSetup other = leased("bob");
  other.machine = 1;
  IdProcess bob(world, other);
  const auto answer = bob.get();
  REQUIRE(answer->state() == "ids");
  CHECK(bob.tick_of(answer->ids().front()) >= end);
}

TEST_CASE("that window is left out as well when the first answers fail, or the first use comes late") {
  for (const bool late : {true, false}) {
    IdWorld world;
    IdProcess ann(world, leased("ann"));
    ann.frozen = true;
    world.pass(15s);
    IdProcess bob(world, leased("bob"));
    if (late) world.pass(1min);
    refuse(bob, "reserve");
    const auto parked = bob.take();
    world.pass(200ms);
    refuse(bob, "");
    const std::int64_t now = bob.now_tick();
    world.pass(200ms);
    REQUIRE(parked->state() == "ids");
    CHECK(bob.tick_of(parked->ids().front()) >= now + 3000);
  }
}

TEST_CASE("after a worker id that was given back, or when the store is ours alone, no window is left out") {
  IdWorld world;
  {
    IdProcess ann(world, leased("ann"));
    ann.get();
    ann.stop();
  }
  {
    IdProcess bob(world, leased("bob"));
    const std::int64_t now = bob.now_tick();
    CHECK(bob.tick_of(bob.get()->ids().front()) <= now + 1);
  }
  IdSetup alone;
  alone.claim.owner = "cat";
  world.pass(20s);
  IdProcess cat(world, alone);
  CHECK(cat.worker->lease().taken_over);
  const std::int64_t now = cat.now_tick();
  CHECK(cat.tick_of(cat.get()->ids().front()) == now);
}

TEST_CASE_FIXTURE(AnnRig, "only the first window after a take-over is above a gap") {
  ann.frozen = true;
  world.pass(15s);
  IdProcess bob(world, leased("bob"));
  bob.get();
  REQUIRE(bob.store.asks.size() == 2);
  CHECK(bob.store.asks[0].count == 3020);
  CHECK(bob.store.asks[1].count == 3000);
  world.pass(2s);
  bob.get();
  REQUIRE(bob.store.asks.size() == 3);
  CHECK(bob.store.asks[2].count == 3000);
}

TEST_CASE_FIXTURE(AnnRig,
                  "a zombie that wakes gives out nothing, and what it had reserved is nobody else's") {
  ann.get();
  const std::int64_t end = world.shelf->next(ann.key());
  ann.frozen = true;
  world.pass(15s);
  IdProcess bob(world, leased("bob"));
  const auto answer = bob.get();
  CHECK(bob.tick_of(answer->ids().front()) >= end);
  ann.frozen = false;
  CHECK_FALSE(ann.one());
  CHECK(ann.take()->state() == "LeaseLost");
  world.pass(1s);
  CHECK(ann.take()->state() == "LeaseLost");
  CHECK(ann.take()->message().find("worker id 7 is another's") != std::string::npos);
}

TEST_CASE_FIXTURE(AnnRig, "a worker id that was lost and regained begins a window of its own") {
  const std::int64_t last = ann.get()->ids().back();
  const std::int64_t end = world.shelf->next(ann.key());
  world.clocks().suspend(13s);
  world.clocks().step(13s);
  refuse(ann, "renew");
  world.pass(6s);
  CHECK(ann.worker->generation() == 2);
  const auto answer = ann.get();
  REQUIRE(answer->state() == "ids");
  CHECK(answer->ids().front() > last);
  CHECK(ann.tick_of(answer->ids().front()) >= end);
}

TEST_CASE("with another worker id ids still ascend, and the window is of that worker") {
  IdWorld world;
  auto ann = std::make_unique<IdProcess>(world, leased("ann", std::nullopt));
  IdProcess bob(world, leased("bob", std::nullopt));
  REQUIRE(bob.worker->lease().worker == 1);
  std::int64_t last = bob.get(4096 * 500)->ids().back();
  ann->stop();
  bob.frozen = true;
  world.pass(15s, 1s);
  IdProcess cat(world, leased("cat", 1));
  bob.frozen = false;
  world.clocks().step(-15s);  // so that the ticks that were borrowed are still ahead
  world.pass(1s);
  REQUIRE(bob.worker->lease().worker == 0);
  const auto answer = bob.get();
  REQUIRE(answer->state() == "ids");
  CHECK(answer->ids().front() > last);
  CHECK(bob.snowflake().layout().parse(answer->ids().front()).worker == 0);
  CHECK(bob.store.asks.back().key.name.ends_with("/0"));
}

TEST_CASE("a window that is on its way when the worker id changes is not used") {
  IdWorld world;
  auto ann = std::make_unique<IdProcess>(world, leased("ann", std::nullopt));
  IdProcess bob(world, leased("bob", std::nullopt));
  bob.take();
  REQUIRE(bob.store.asks.back().key.name.ends_with("/1"));
  ann->stop();
  world.clocks().pass(14s);
  IdProcess* cat = nullptr;
  bob.frozen = true;
  world.pass(16s, 1s);
  IdProcess other(world, leased("cat", 1));
  cat = &other;
  REQUIRE(cat->worker->generation() == 1);
  bob.frozen = false;
  world.pass(2s);
  REQUIRE(bob.worker->lease().worker == 0);
  const auto answer = bob.get();
  REQUIRE(answer->state() == "ids");
  CHECK(bob.snowflake().layout().parse(answer->ids().front()).worker == 0);
  CHECK(bob.store.asks.back().key.name.ends_with("/0"));
}

TEST_CASE("ticks of a worker id that was lost are not given back as those of another") {
  IdWorld world;
  auto ann = std::make_unique<IdProcess>(world, leased("ann", std::nullopt));
  IdProcess bob(world, leased("bob", std::nullopt));
  bob.get();
  const std::int64_t end = world.shelf->next(bob.key());
  ann->stop();
  bob.frozen = true;
  world.pass(15s, 1s);
  IdProcess cat(world, leased("cat", 1));
  bob.frozen = false;
  world.pass(1s);
  REQUIRE(bob.worker->lease().worker == 0);
  world.shelf->set_next(bob.key(), end);
  bob.stop();
  CHECK(bob.stopped);
  CHECK(world.shelf->next(bob.key()) == end);
}

}  // namespace zerosuite::test::snowflake_leases_test
