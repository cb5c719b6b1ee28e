// A small world of issuers that runs by a seed: processes are killed, frozen and started again, clocks are
// set, and the store answers late, refuses, and loses answers. What they gave out is a history for the
// checkers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "id/issuer.hpp"
#include "support/id_rigs.hpp"
#include "support/id_world.hpp"
#include "support/memory_store.hpp"

namespace zerosuite::test {

/// Values first … first+count−1 of one key, by one process. Moments are numbers that only rise.
struct Issued {
  std::string key;
  std::size_t process = 0;
  std::int64_t first = 0;
  std::int64_t count = 1;
  std::uint64_t asked = 0;
  std::uint64_t answered = 0;

  std::int64_t last() const { return first + count - 1; }
  std::string text() const {
    return key + " " + std::to_string(first) + "+" + std::to_string(count) + " of process " +
           std::to_string(process) + ", asked " + std::to_string(asked) + ", answered " +
           std::to_string(answered);
  }
};

/// In the order of the answers. The checkers answer what is wrong; nullopt when nothing is.
class IdHistory {
 public:
  using Finding = std::optional<std::string>;

  /// No value of any key is there twice.
  Finding twice() const {
    for (auto [key, all] : by_key()) {
      std::sort(all.begin(), all.end(), [](auto* a, auto* b) { return a->first < b->first; });
      for (std::size_t i = 1; i < all.size(); ++i) {
        if (all[i]->first <= all[i - 1]->last()) return both("twice", *all[i - 1], *all[i]);
      }
    }
    return std::nullopt;
  }

  /// The values of one process ascend.
  Finding falling(const std::string& key) const {
    std::map<std::size_t, const Issued*> latest;
    for (const Issued& one : issued) {
      if (one.key != key) continue;
      const Issued*& before = latest[one.process];
      if (before != nullptr && one.first <= before->last()) return both("falling", *before, one);
      before = &one;
    }
    return std::nullopt;
  }

  /// If one was answered before another was asked for, it is less.
  Finding out_of_order(const std::string& key) const {
    std::vector<const Issued*> all;
    for (const Issued& one : issued) {
      if (one.key == key) all.push_back(&one);
    }
    auto by_asked = all;
    std::sort(by_asked.begin(), by_asked.end(), [](auto* a, auto* b) { return a->asked < b->asked; });
    const Issued* greatest = nullptr;  // of those answered before this one was asked for
    auto answered = all.begin();
    for (const Issued* one : by_asked) {
      for (; answered != all.end() && (*answered)->answered < one->asked; ++answered) {
        if (greatest == nullptr || (*answered)->last() > greatest->last()) greatest = *answered;
      }
      if (greatest != nullptr && one->first <= greatest->last()) return both("out of order", *greatest, *one);
    }
    return std::nullopt;
  }

  std::int64_t count() const {
    std::int64_t sum = 0;
    for (const Issued& one : issued) sum += one.count;
    return sum;
  }

  std::vector<Issued> issued;
  std::map<std::string, int> refused;  ///< By the name of the error.
  std::optional<std::string> unfair;   ///< A refusal for which there was no reason.

 private:
  static std::string both(const std::string& what, const Issued& a, const Issued& b) {
    return what + ": " + a.text() + "; " + b.text();
  }

  std::map<std::string, std::vector<const Issued*>> by_key() const {
    std::map<std::string, std::vector<const Issued*>> keys;
    for (const Issued& one : issued) keys[one.key].push_back(&one);
    return keys;
  }
};

/// Where an issuer lives.
struct IssuerPlace {
  net::Timers& timers;
  MemoryStore& store;
  const FakeClocks& clocks;
  id::Layout layout;
  id::Claim claim;
};

/// What it can be asked for.
class SimulatedIssuer {
 public:
  using Ids = core::Done<id::Snowflake::Runs>;
  using Value = core::Done<std::int64_t>;

  virtual ~SimulatedIssuer() = default;
  virtual void ids(std::int64_t n, Ids done) { done(none<id::Snowflake::Runs>(n)); }
  virtual void sequence(Value done) { done(none<std::int64_t>(1)); }
  virtual void durable(Value done) { done(none<std::int64_t>(1)); }
  virtual void segment(Value done) { done(none<std::int64_t>(1)); }
  virtual void stop(core::MoveFunction<void()> done) { done(); }

 private:
  template <class T>
  static core::Result<T> none(std::int64_t n) {
    return core::Error{core::kEngineDisabled, std::to_string(n) + " cannot be had here"};
  }
};

class RealIssuer : public SimulatedIssuer {
 public:
  explicit RealIssuer(const IssuerPlace& place)
      : issuer_({place.timers, place.store, place.clocks}, options(place), {}) {
    issuer_.start();
  }

  void ids(std::int64_t n, Ids done) override {
    issuer_.check_clock();
    id::Snowflake& snowflake = issuer_.snowflakes().of("");
    if (const auto id = n == 1 ? snowflake.one(issuer_.time().look()) : std::nullopt)
      return done(id::Snowflake::Runs{{*id, 1}});
    snowflake.take(std::min(n, snowflake.most()), std::move(done));
  }
  void sequence(Value done) override {
    issuer_.check_clock();
    issuer_.sequences().next("s", std::move(done));
  }
  void durable(Value done) override {
    issuer_.check_clock();
    issuer_.sequences().durable("s", std::move(done));
  }
  void segment(Value done) override {
    issuer_.check_clock();
    issuer_.segments().next("t", std::move(done));
  }
  void stop(core::MoveFunction<void()> done) override { issuer_.stop(std::move(done)); }

 protected:
  const id::WorkerIdLease& worker() const { return issuer_.worker(); }

 private:
  static id::IssuerOptions options(const IssuerPlace& place) {
    id::IssuerOptions options;
    options.layout = place.layout;
    options.worker.claim = place.claim;
    return options;
  }

  id::Issuer issuer_;
};

/// Does not know at its start how far its worker id had reserved.
class ForgetfulIssuer final : public RealIssuer {
 public:
  explicit ForgetfulIssuer(const IssuerPlace& place) : RealIssuer(place), place_(place) {}

  void ids(std::int64_t n, Ids done) override {
    if (worker().generation() != std::exchange(generation_, worker().generation())) {
      const std::string name = place_.layout.fingerprint() + "/" + std::to_string(worker().lease().worker);
      place_.store.shelf->set_next({id::Key::Kind::kTicks, name}, 0);
    }
    RealIssuer::ids(n, std::move(done));
  }

 private:
  const IssuerPlace place_;
  std::uint64_t generation_ = 0;
};

/// One of the issuers that have nothing but the wall clock and a worker id, which is never checked again.
class NaiveIssuer : public SimulatedIssuer {
 public:
  explicit NaiveIssuer(const IssuerPlace& place) : place_(place), cursor_(place.layout, entropy_) {
    place.store.claim(place.claim, [this](const core::Result<id::Lease>& lease) {
      if (lease) worker_ = lease->worker;
    });
  }

  void ids(std::int64_t n, Ids done) override {
    if (worker_ < 0) return done(core::Error{core::kLeaseLost, "no worker id"});
    cursor_.set_worker(worker_);
    cursor_.move_to(wall_tick());
    id::Snowflake::Runs runs;
    cursor_.take(n, place_.layout.ticks(), runs);
    done(std::move(runs));
  }

 protected:
  std::int64_t wall_tick() const { return place_.layout.tick_at(place_.clocks.now.wall_ns); }

  const IssuerPlace place_;
  std::int64_t worker_ = -1;

 private:
  core::Entropy entropy_;
  id::Cursor cursor_;
};

/// Follows the wall clock back, and begins there with sequence 0 (twitter-archive/snowflake, issue 6). Its
/// worker id is its own.
class StepIssuer final : public NaiveIssuer {
 public:
  using NaiveIssuer::NaiveIssuer;

  void ids(std::int64_t, Ids done) override {
    if (worker_ < 0) return done(core::Error{core::kLeaseLost, "no worker id"});
    sequence_ = std::exchange(tick_, wall_tick()) == tick_ ? sequence_ + 1 : 0;
    if (sequence_ >= place_.layout.sequences()) return done(core::Error{core::kOverloaded, "a tick is full"});
    done(id::Snowflake::Runs{{place_.layout.compose({tick_, worker_, sequence_}), 1}});
  }

 private:
  std::int64_t tick_ = -1;
  std::int64_t sequence_ = 0;
};

/// Hands a sequence out of a block that it keeps, whatever other processes do meanwhile.
class CachedIssuer final : public SimulatedIssuer {
 public:
  explicit CachedIssuer(const IssuerPlace& place) : place_(place) {}

  void sequence(Value done) override {
    if (block_.size() > 0) return done(block_.lo++);
    place_.store.reserve({.key = {id::Key::Kind::kCounter, "cached"}, .count = 20},
                         [this, done = std::move(done)](const core::Result<id::Reserved>& answer) mutable {
                           if (!answer) return done(answer.error());
                           block_ = answer->range;
                           done(block_.lo++);
                         });
  }

 private:
  const IssuerPlace place_;
  id::Range block_;
};

using MakeIssuer = std::function<std::unique_ptr<SimulatedIssuer>(const IssuerPlace&)>;

template <class Issuer>
std::unique_ptr<SimulatedIssuer> make(const IssuerPlace& place) {
  return std::make_unique<Issuer>(place);
}

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
