// A small world of issuers that runs by a seed: processes are killed, frozen and started again, clocks are
// set, and the store answers late, refuses, and loses answers. What they gave out is a history for the
// checkers.
#pragma once

#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "support/id_history.hpp"
#include "support/id_issuers.hpp"
#include "support/id_world.hpp"

namespace zerosuite::test {

/// What a world is like.
struct Weather {
  bool shared = true;    ///< Else there is one process at a time, with a store of its own.
  bool gentle = true;    ///< No two clocks, and no two moments, are more than nine minutes apart.
  bool faithful = true;  ///< The store always answers, and at once.
  bool roomy = false;    ///< There are as many worker ids as processes.
};

class IdSimulation {
 public:
  IdSimulation(std::uint64_t seed, Weather weather, MakeIssuer make_issuer)
      : random_(seed), weather_(weather), make_(std::move(make_issuer)), world_(kMachines) {
    const char* const layouts[] = {"js53", "twitter", "custom:41/4/3@1700000000000"};
    layout_ = id::layout_of(layouts[below(3)]);
    slots_.resize(weather_.shared ? 2 + static_cast<std::size_t>(below(3)) : 1);
    (void)world_.shelf->create_tag({.name = "t", .step = 5});
  }

  IdHistory run(int turns) {
    for (int turn = 0; turn < turns; ++turn) this->turn();
    return std::move(history_);
  }

 private:
  static constexpr std::size_t kMachines = 2;

  struct Process : IdMember {
    Process(IdWorld& the_world, bool shared, std::size_t its_machine)
        : IdMember(the_world, shared), machine(its_machine) {}
    std::size_t machine;
    std::size_t number = 0;
    std::unique_ptr<SimulatedIssuer> issuer;  // goes first
  };

  std::int64_t below(std::int64_t end) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(end));
  }
  bool chance(std::int64_t percent) { return below(100) < percent; }
  std::size_t any_slot() { return static_cast<std::size_t>(below(static_cast<std::int64_t>(slots_.size()))); }

  void turn() {
    const std::int64_t what = below(100);
    const std::size_t slot = any_slot();
    if (what < 62) return ask(slot);
    if (what < 82) return pass();
    if (what < 88) return restart(slot);
    if (what < 93) return freeze(slot);
    set_clock(world_.machines[static_cast<std::size_t>(below(kMachines))]);
  }

  void pass() {
    const std::int64_t kind = below(20);
    if (kind < 10) return world_.pass(core::milliseconds(1 + below(3)));
    if (kind < 16) return world_.pass(core::milliseconds(below(500)), core::milliseconds(20));
    if (kind < 19) return world_.pass(core::milliseconds(below(4000)), core::milliseconds(100));
    world_.pass(core::milliseconds(below(25'000)), core::milliseconds(500));
  }

  void freeze(std::size_t slot) {
    Process* const process = slots_[slot].get();
    if (process == nullptr) return;
    process->frozen = !process->frozen;
    slept_.insert(process->number);
  }

  // Kills, or stops, and most often starts again.
  void restart(std::size_t slot) {
    std::unique_ptr<Process>& process = slots_[slot];
    if (process && !process->frozen && chance(40)) {
      process->issuer->stop([] {});
      process->store.settle();
    }
    process.reset();
    if (chance(85)) start(slot);
  }

  void start(std::size_t slot) {
    const auto machine = static_cast<std::size_t>(below(kMachines));
    if (weather_.gentle) correct(world_.machines[machine]);
    auto process = std::make_unique<Process>(world_, weather_.shared, machine);
    process->number = ++started_;
    process->store.fate = [this](std::string_view) { return fate(); };
    Process& it = *process;
    slots_[slot] = std::move(process);
    weather(it);
    const std::int64_t alone = weather_.shared ? 2 : 1;
    it.issuer = make_(
        {it.timers, it.store, world_.machines[machine], layout_,
         id::Claim{.worker = weather_.roomy ? std::optional(static_cast<std::int64_t>(slot)) : std::nullopt,
                   .workers = weather_.roomy ? 8 : alone,
                   .owner = weather_.shared ? std::to_string(it.number) : "alone"}});
    it.store.settle();
  }

  void weather(Process& process) {
    if (weather_.faithful) return;
    process.store.delay = core::milliseconds(chance(30) ? below(2000) : below(5));
    process.store.works_late = chance(50);
  }
  Fate fate() {
    if (weather_.faithful || !chance(25)) return Fate::kDone;
    constexpr Fate kFates[] = {Fate::kRefused, Fate::kBroken, Fate::kLost, Fate::kDropped};
    return kFates[below(4)];
  }

  // Back to within a few minutes of the truth.
  void correct(FakeClocks& clocks) {
    const core::milliseconds off = offset(clocks);
    if (off > kGentle || off < -kGentle) clocks.step(-off);
  }
  core::milliseconds offset(const FakeClocks& clocks) const {
    const auto passed = std::chrono::duration_cast<core::milliseconds>(world_.now() - kStart);
    return core::milliseconds(clocks.now.wall_ns / 1'000'000 - kWallMs) - passed;
  }
  void set_clock(FakeClocks& clocks) {
    const std::int64_t kind = below(10);
    const std::int64_t sign = chance(50) ? 1 : -1;
    if (kind == 0) return clocks.step(core::milliseconds(std::int64_t{10} * 365 * 24 * 3'600'000));
    if (kind == 1) return correct(clocks);
    if (kind < 5) return clocks.step(core::milliseconds(sign * (1 + below(10))));
    if (kind < 7) return clocks.step(core::milliseconds(sign * below(3000)));
    clocks.step(core::milliseconds(sign * below(weather_.gentle ? 60'000 : 1'200'000)));
    if (weather_.gentle) correct(clocks);
  }

  void ask(std::size_t slot) {
    if (!slots_[slot]) return start(slot);
    Process& process = *slots_[slot];
    if (process.frozen && chance(60)) return;
    process.frozen = false;  // and it does not know yet how late it is
    weather(process);
    const std::int64_t kind = below(10);
    if (kind < 6) {
      ask_ids(process, chance(70) ? 1 : 1 + below(chance(80) ? 40 : 8000));
    } else if (kind < 8) {
      process.issuer->sequence(recorder("sequence", process.number));
    } else if (kind < 9) {
      process.issuer->durable(recorder("sequence", process.number));
    } else {
      process.issuer->segment(recorder("segment", process.number));
    }
    if (chance(80)) process.store.settle();
  }

  void ask_ids(Process& process, std::int64_t n) {
    process.issuer->ids(
        n, [this, number = process.number, asked = ++moment_](const core::Result<id::Snowflake::Runs>& runs) {
          if (!runs) return refused(runs.error(), number);
          for (const id::Run& run : *runs)
            history_.issued.push_back({"ids", number, run.first, run.count, asked, ++moment_});
        });
  }

  SimulatedIssuer::Value recorder(std::string key, std::size_t number) {
    return [this, key = std::move(key), number, asked = ++moment_](const core::Result<std::int64_t>& value) {
      if (!value) return refused(value.error(), number);
      history_.issued.push_back({key, number, *value, 1, asked, ++moment_});
    };
  }

  void refused(const core::Error& error, std::size_t number) {
    ++history_.refused[error.name];
    const bool clock = error.name == core::kClockRollback.name || error.name == core::kTimeExhausted.name;
    const bool store = error.name == core::kUnavailable.name || error.name == core::kStorageError.name;
    if ((clock && weather_.gentle) || (store && weather_.faithful && slept_.count(number) == 0))
      history_.unfair = error.name + ": " + error.text();
  }

  static constexpr core::milliseconds kGentle{4 * 60'000};

  std::mt19937_64 random_;
  const Weather weather_;
  const MakeIssuer make_;
  id::Layout layout_;
  IdHistory history_;
  std::uint64_t moment_ = 0;
  std::size_t started_ = 0;
  std::set<std::size_t> slept_;  // the numbers of processes that were frozen once
  IdWorld world_;
  std::vector<std::unique_ptr<Process>> slots_;
};

}  // namespace zerosuite::test
