#include "id/snowflake/worker_id_lease.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace zerosuite::id {
namespace {

using core::milliseconds, core::Result;

constexpr milliseconds kTakeAgain{500};

}  // namespace

WorkerIdLease::WorkerIdLease(net::Timers& timers, Store& store, IdTime& time, WorkerIdOptions options,
                             Callback told)
    : store_(store),
      time_(time),
      options_(std::move(options)),
      told_(std::move(told)),
      leased_(store.traits().shared),
      why_{core::kLeaseLost, "no worker id was granted yet"},
      again_(timers, [this] { ask(); }) {}

void WorkerIdLease::start() { ask(); }

void WorkerIdLease::ask() {
  if (stopped_) return;
  const std::int64_t asked_ns = time_.look().boot_ns;
  // After the lease has expired, the worker id is claimed anew: a store that lost its data would accept a
  // renewal.
  if (held_ && check(asked_ns)) lose({core::kLeaseLost, "the lease was not renewed in time"});
  if (held_) {
    store_.renew(options_.claim, lease_,
                 [this, asked_ns](const Result<Lease>& lease) { renewed(lease, asked_ns); });
  } else {
    store_.claim(options_.claim, [this, asked_ns](const Result<Lease>& lease) { claimed(lease, asked_ns); });
  }
}

void WorkerIdLease::claimed(const Result<Lease>& lease, std::int64_t asked_ns) {
  if (stopped_ && lease) return store_.release(options_.claim, *lease, [](const Result<bool>&) {});
  if (stopped_) return;
  if (!lease) return lose(lease.error());
  ++generation_;
  hold(*lease, asked_ns);
  if (told_) told_(*lease);
}

void WorkerIdLease::renewed(const Result<Lease>& lease, std::int64_t asked_ns) {
  if (stopped_) return;
  if (lease) {
    Lease renewed = *lease;
    renewed.taken_over = lease_.taken_over;  // still true for ranges reserved before this owner
    return hold(renewed, asked_ns);
  }
  const bool over = check(time_.look().boot_ns).has_value();
  if (over || lease.error().name == core::kLeaseLost.name) return lose(lease.error());
  again_.after(kTakeAgain);  // the store may recover before the lease expires
}

void WorkerIdLease::hold(const Lease& lease, std::int64_t asked_ns) {
  // At the start, only another machine's clock can show that the wall clock is far ahead.
  if (generation_ == 1 && !held_ && lease.store_ms) time_.distrust(*lease.store_ms);
  lease_ = lease;
  held_ = true;
  until_ns_ = asked_ns + (options_.claim.ttl - options_.margin).count() * kNsPerMs;
  if (lease.store_ms && time_.jump() &&
      std::abs(*lease.store_ms - time_.wall_ms()) < time_.rules().max_forward.count())
    time_.confirm();
  if (leased_) again_.after(options_.renew);
}

void WorkerIdLease::lose(const core::Error& why) {
  const bool news = std::exchange(held_, false) || why_.name != why.name;
  again_.after(kTakeAgain);
  why_ = why;
  if (news && told_) told_(why_);
}

void WorkerIdLease::stop(core::MoveFunction<void()> done) {
  stopped_ = true;
  again_.cancel();
  if (!std::exchange(held_, false)) return done();
  store_.release(options_.claim, lease_, [done = std::move(done)](const Result<bool>&) mutable { done(); });
}

std::optional<core::Error> WorkerIdLease::check(std::int64_t boot_ns) const {
  if (mark_.forked())
    return core::Error{core::kLeaseLost, "this is a child process; its parent has the worker id"};
  if (held_ && (!leased_ || boot_ns < until_ns_)) return std::nullopt;
  if (held_) return core::Error{core::kLeaseLost, "the lease of the worker id was not renewed in time"};
  return core::Error{core::kLeaseLost, "no worker id: " + why_.message};
}

std::optional<milliseconds> WorkerIdLease::left(std::int64_t boot_ns) const {
  if (!leased_) return std::nullopt;
  return milliseconds(held_ ? std::max<std::int64_t>(until_ns_ - boot_ns, 0) / kNsPerMs : 0);
}

}  // namespace zerosuite::id
