// Machines with clocks of their own, a store that all of them share, and the issuer's processes on them.
#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/random.hpp"
#include "id/snowflake/snowflakes.hpp"
#include "id/snowflake/worker_id_lease.hpp"
#include "support/fakes.hpp"
#include "support/id_rigs.hpp"
#include "support/memory_store.hpp"

namespace zerosuite::test {

class IdMember;

/// What is there when no process is.
class IdWorld {
 public:
  explicit IdWorld(std::size_t count = 1) : machines(count) {}

  /// Time goes by everywhere, in steps of `each`; processes work, unless they are frozen.
  void pass(core::milliseconds duration, core::milliseconds each = core::milliseconds(1));
  /// Answers what is due without any time going by.
  void settle() { pass_once(core::milliseconds(0)); }
  core::TimePoint now() const { return now_; }
  FakeClocks& clocks() { return machines.front(); }

  std::deque<FakeClocks> machines;
  std::shared_ptr<MemoryShelf> shelf = std::make_shared<MemoryShelf>([this] { return now_; });
  std::vector<IdMember*> members;

 private:
  void pass_once(core::milliseconds duration);

  core::TimePoint now_ = kStart;
};

/// What became of a call.
struct IdAnswer {
  std::optional<core::Result<std::vector<id::Run>>> result;

  /// "waits", "ids", or the name of the error.
  std::string state() const { return !result ? "waits" : *result ? "ids" : result->error().name; }
  std::string message() const { return result->error().text(); }
  std::vector<std::int64_t> ids(std::int64_t stride = 1) const {
    std::vector<std::int64_t> all;
    for (const id::Run& run : **result) {
      for (std::int64_t i = 0; i < run.count; ++i) all.push_back(run.first + i * stride);
    }
    return all;
  }
};

struct IdSetup {
  std::string layout = "twitter";
  id::SnowflakeOptions options = {};
  id::Claim claim{.worker = 7, .workers = 1024, .owner = "ann", .ttl = core::milliseconds(15'000)};
  bool shared = false;
  std::size_t machine = 0;
  bool started = true;
};

/// A process with its way to the store. Killed when it is destroyed.
class IdMember {
 public:
  IdMember(IdWorld& the_world, bool shared)
      : world(the_world), timers(world.now()), store(world.shelf, [this] { return timers.now(); }) {
    store.promises.shared = shared;
    world.members.push_back(this);
  }
  ~IdMember() { std::erase(world.members, this); }
  IdMember(const IdMember&) = delete;
  IdMember& operator=(const IdMember&) = delete;

  IdWorld& world;
  net::Timers timers;
  MemoryStore store;
  bool frozen = false;
};

/// One that issues snowflakes.
class IdProcess : public IdMember {
 public:
  explicit IdProcess(IdWorld& the_world, const IdSetup& setup = {})
      : IdMember(the_world, setup.shared), time(world.machines[setup.machine]) {
    worker.emplace(timers, store, time, id::WorkerIdOptions{.claim = setup.claim},
                   [this](const core::Result<id::Lease>& lease) {
                     told.push_back(lease ? "gained" : lease.error().name);
                   });
    snowflakes.emplace(id::SnowflakeParts{timers, store, time, *worker, entropy}, id::layout_of(setup.layout),
                       setup.options);
    if (!setup.started) return;
    worker->start();
    store.settle();
  }
  id::Snowflake& snowflake() { return snowflakes->of(""); }
  std::shared_ptr<IdAnswer> take(std::int64_t n = 1) {
    auto answer = std::make_shared<IdAnswer>();
    snowflake().take(n, [answer](core::Result<std::vector<id::Run>> result) { answer->result = result; });
    return answer;
  }
  /// Takes, and lets the store answer.
  std::shared_ptr<IdAnswer> get(std::int64_t n = 1) {
    auto answer = take(n);
    store.settle();
    return answer;
  }
  std::optional<std::int64_t> one() { return snowflake().one(time.look()); }
  std::int64_t now_tick() { return snowflake().layout().tick_at(time.look().ns); }
  std::int64_t tick_of(std::int64_t id) { return snowflake().layout().parse(id).tick; }
  id::Key key() {
    return {id::Key::Kind::kTicks,
            snowflake().layout().fingerprint() + "/" + std::to_string(worker->lease().worker)};
  }
  /// In order: gives the ticks back, then the worker id.
  void stop() {
    snowflakes->stop(
        std::make_shared<core::CompletionLatch>([this] { worker->stop([this] { stopped = true; }); }));
    store.settle();
  }

  id::IdTime time;
  core::Entropy entropy;
  std::vector<std::string> told;
  std::optional<id::WorkerIdLease> worker;
  std::optional<id::Snowflakes> snowflakes;
  bool stopped = false;
};

/// One process in a world of its own.
struct IdRig {
  IdRig() : IdRig(IdSetup{}) {}
  explicit IdRig(const IdSetup& setup) : process(world, setup) {}

  /// All calls of its store come to that from now on.
  void fail(Fate fate) {
    process.store.fate = [fate](std::string_view) { return fate; };
  }

  IdWorld world;
  IdProcess process;
};

/// For a process of several on one store.
inline IdSetup leased(const std::string& owner = "ann", std::optional<std::int64_t> worker = 7) {
  IdSetup setup;
  setup.shared = true;
  setup.claim.owner = owner;
  setup.claim.worker = worker;
  return setup;
}

/// The first of several processes.
struct AnnRig {
  IdWorld world;
  IdProcess ann{world, leased("ann")};
};

inline void IdWorld::pass(core::milliseconds duration, core::milliseconds each) {
  for (; duration > core::milliseconds(0); duration -= each) pass_once(std::min(duration, each));
}

inline void IdWorld::pass_once(core::milliseconds duration) {
  now_ += duration;
  for (FakeClocks& machine : machines) machine.pass(duration);
  for (IdMember* member : members) {
    if (member->frozen) continue;
    member->timers.advance_to(now_);
    member->store.settle();
  }
}

}  // namespace zerosuite::test
