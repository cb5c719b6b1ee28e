// Issuers for the simulation: the real one, and some that are wrong in ways that are known from the field.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "id/issuer.hpp"
#include "support/fake_clocks.hpp"
#include "support/memory_store.hpp"

namespace zerosuite::test {

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

}  // namespace zerosuite::test
