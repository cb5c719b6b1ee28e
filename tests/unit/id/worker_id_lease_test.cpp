// The worker id: how it is gained, kept, lost and given back.
#include "id/snowflake/worker_id_lease.hpp"

#include <doctest/doctest.h>

#include <chrono>

#include "support/id_world.hpp"

namespace zerosuite::test::worker_test {

using core::milliseconds;

using Callback = std::vector<std::string>;

bool may_issue(IdProcess& process) { return !process.worker->check(process.time.look().boot_ns); }

milliseconds left(IdProcess& process) { return *process.worker->left(process.time.look().boot_ns); }

// Counts the calls of one name, all of which go to the fate that is set.
struct Calls {
  Calls(IdProcess& process, std::string_view name) {
    process.store.fate = [this, name](std::string_view call) {
      if (call != name) return Fate::kDone;
      ++count;
      return fate;
    };
  }
  int count = 0;
  Fate fate = Fate::kDone;
};

TEST_CASE("a worker id is claimed at the start, and that is told") {
  IdWorld world;
  IdSetup setup = leased();
  setup.started = false;
  IdProcess ann(world, setup);
  CHECK_FALSE(may_issue(ann));
  CHECK(ann.worker->generation() == 0);
  CHECK(left(ann) == 0ms);
  ann.worker->start();
  CHECK_FALSE(may_issue(ann));
  ann.store.settle();
  CHECK(may_issue(ann));
  CHECK(ann.worker->generation() == 1);
  CHECK(ann.worker->lease().worker == 7);
  CHECK(ann.worker->lease().epoch == 1);
  CHECK(ann.worker->claim().owner == "ann");
  CHECK(ann.told == Callback{"gained"});
}

TEST_CASE("whoever asks for any worker id gets the lowest that is free") {
  IdWorld world;
  IdProcess ann(world, leased("ann", std::nullopt));
  IdProcess bob(world, leased("bob", std::nullopt));
  CHECK(ann.worker->lease().worker == 0);
  CHECK(bob.worker->lease().worker == 1);
  ann.stop();
  IdProcess cat(world, leased("cat", std::nullopt));
  CHECK(cat.worker->lease().worker == 0);
  CHECK(cat.worker->lease().epoch == 2);
}

TEST_CASE_FIXTURE(AnnRig, "a lease is renewed every five seconds, and then has thirteen again") {
  Calls renewals(ann, "renew");
  CHECK(left(ann) == 13s);
  world.pass(4999ms);
  CHECK(renewals.count == 0);
  CHECK(left(ann) == 8001ms);
  world.pass(1ms);
  CHECK(renewals.count == 1);
  CHECK(left(ann) == 13s);
  world.pass(5min, 100ms);
  CHECK(renewals.count == 61);
  CHECK(may_issue(ann));
  CHECK(ann.worker->generation() == 1);
  CHECK(ann.told == Callback{"gained"});
}

TEST_CASE("a lease counts from when it was asked for, however late the answer comes") {
  IdWorld world;
  IdSetup setup = leased();
  setup.started = false;
  IdProcess ann(world, setup);
  ann.store.delay = 3s;
  ann.worker->start();
  world.pass(3s);
  CHECK(may_issue(ann));
  CHECK(left(ann) == 10s);
  ann.store.delay = 12s;
  world.pass(5s);  // asked
  world.pass(5s - 1ms);
  CHECK(may_issue(ann));
  CHECK(left(ann) == 1ms);
  world.pass(1ms);
  CHECK_FALSE(may_issue(ann));
  world.pass(7s);
  CHECK(may_issue(ann));
  CHECK(left(ann) == 1s);
  world.pass(1s);
  CHECK_FALSE(may_issue(ann));
}

TEST_CASE_FIXTURE(AnnRig, "a lease that runs out says so") {
  ann.store.delay = 1h;
  world.pass(13s);
  const auto lost = ann.worker->check(ann.time.look().boot_ns);
  REQUIRE(lost);
  CHECK(lost->name == core::kLeaseLost.name);
  CHECK(lost->text() == "the lease of the worker id was not renewed in time");
  CHECK(left(ann) == 0ms);
}

TEST_CASE("while the store is away the renewal is tried again, and may yet come in time") {
  for (const Fate fate : {Fate::kRefused, Fate::kBroken, Fate::kDropped, Fate::kLost}) {
    IdWorld world;
    IdProcess ann(world, leased());
    Calls renewals(ann, "renew");
    renewals.fate = fate;
    world.pass(12'400ms);
    CHECK(renewals.count == 15);  // at 5 s, and each half second after
    CHECK(may_issue(ann));
    renewals.fate = Fate::kDone;
    world.pass(100ms);
    CHECK(may_issue(ann));
    CHECK(ann.worker->generation() == 1);
    CHECK(ann.told == Callback{"gained"});
  }
}

TEST_CASE_FIXTURE(AnnRig, "a worker id that was lost is claimed again, as another generation") {
  Calls renewals(ann, "renew");
  renewals.fate = Fate::kRefused;
  world.pass(14s);
  CHECK(may_issue(ann));
  CHECK(ann.worker->generation() == 2);
  CHECK(ann.told == Callback{"gained", "LeaseLost", "gained"});
  world.pass(14s);
  CHECK(ann.told == Callback{"gained", "LeaseLost", "gained", "LeaseLost", "gained"});
}

TEST_CASE_FIXTURE(AnnRig, "whose worker id is another's now stops at once, and hears whose it is") {
  ann.frozen = true;
  world.pass(15s, 100ms);
  IdProcess bob(world, leased("bob"));
  CHECK(bob.worker->lease().epoch == 2);
  CHECK(bob.worker->lease().taken_over);
  ann.frozen = false;
  world.pass(1s);
  CHECK(ann.told == Callback{"gained", "LeaseLost", "WorkerIdInUse"});
  const auto lost = ann.worker->check(ann.time.look().boot_ns);
  REQUIRE(lost);
  CHECK(lost->text().starts_with("no worker id: worker id 7 is another's"));
  world.pass(30s);
  CHECK(ann.told.size() == 3);  // it is asked for twice a second, but the log is told once
  bob.stop();
  world.pass(500ms);
  CHECK(may_issue(ann));
  CHECK(ann.worker->lease().epoch == 3);
  CHECK_FALSE(ann.worker->lease().taken_over);
}

TEST_CASE_FIXTURE(AnnRig, "that a worker id was taken over is known as long as it is held") {
  ann.frozen = true;
  world.pass(15s, 100ms);
  IdProcess bob(world, leased("bob"));
  world.pass(1min, 100ms);
  CHECK(bob.worker->lease().taken_over);
}

TEST_CASE("when more start than there are worker ids the last ones wait until one is free") {
  IdWorld world;
  const auto setup = [](const std::string& owner) {
    IdSetup any = leased(owner, std::nullopt);
    any.claim.workers = 2;
    return any;
  };
  IdProcess ann(world, setup("ann"));
  IdProcess bob(world, setup("bob"));
  IdProcess cat(world, setup("cat"));
  CHECK(cat.told == Callback{"WorkerIdExhausted"});
  CHECK_FALSE(may_issue(cat));
  bob.frozen = true;
  world.pass(15'500ms, 100ms);
  CHECK(may_issue(cat));
  CHECK(cat.worker->lease().worker == 1);
  CHECK(ann.worker->generation() == 1);
}

TEST_CASE_FIXTURE(AnnRig, "who stops gives the worker id back, so that the next one need not wait") {
  bool done = false;
  ann.worker->stop([&] { done = true; });
  CHECK_FALSE(may_issue(ann));
  CHECK_FALSE(done);
  ann.store.settle();
  CHECK(done);
  Calls renewals(ann, "renew");
  IdProcess bob(world, leased("bob"));
  CHECK(may_issue(bob));
  CHECK_FALSE(bob.worker->lease().taken_over);
  world.pass(30s, 100ms);
  CHECK(renewals.count == 0);
  CHECK(ann.worker->generation() == 1);
}

TEST_CASE_FIXTURE(
    AnnRig,
    "a stop that the store does not hear of is over all the same, and one without a worker id at once") {
  ann.store.fate = [](std::string_view) { return Fate::kRefused; };
  bool done = false;
  ann.worker->stop([&] { done = true; });
  ann.store.settle();
  CHECK(done);
  IdProcess bob(world, leased("bob"));
  CHECK(bob.told == Callback{"WorkerIdInUse"});
  done = false;
  bob.worker->stop([&] { done = true; });
  CHECK(done);
  world.pass(20s, 100ms);
  CHECK_FALSE(may_issue(bob));
}

TEST_CASE_FIXTURE(AnnRig, "an answer that comes after the stop gives nothing") {
  ann.store.delay = 1s;
  world.pass(5s);  // a renewal is on its way
  bool done = false;
  ann.worker->stop([&] { done = true; });
  world.pass(10s);
  CHECK(done);
  CHECK_FALSE(may_issue(ann));
}

TEST_CASE("what is the issuer's alone is never renewed, and never ends") {
  IdWorld world;
  IdProcess ann(world);
  Calls renewals(ann, "renew");
  world.pass(1h, 1s);
  CHECK(renewals.count == 0);
  CHECK(may_issue(ann));
  CHECK_FALSE(ann.worker->left(ann.time.look().boot_ns));
}

TEST_CASE("a leap of the clock is confirmed by a store that sees the same time, and by no other") {
  {
    IdWorld world;
    IdProcess ann(world, leased());  // whose store has no clock
    world.clocks().step(1h);
    world.pass(10s);
    CHECK(ann.time.jump());
  }
  for (const milliseconds off : {0ms, 59'999ms, -59'999ms, 60'000ms, -60'000ms}) {
    CAPTURE(off.count());
    IdWorld world;
    world.shelf->store_ms = [&]() -> std::optional<std::int64_t> {
      return world.clocks().now.wall_ns / 1'000'000 + off.count();
    };
    IdProcess ann(world, leased());
    world.clocks().step(1h);
    ann.time.look();
    REQUIRE(ann.time.jump());
    world.pass(5s);
    ann.time.look();
    CHECK(ann.time.jump().has_value() == (std::abs(off.count()) == 60'000));
  }
}

}  // namespace zerosuite::test::worker_test
