// The worker id of this issuer, and its lease.
//
// On a shared store it is leased (Gray and Cheriton, "Leases", SOSP 1989): renewed every few seconds, and no
// longer used from a margin before another issuer can get it, by CLOCK_BOOTTIME. Uniqueness does not depend
// on the lease, since ticks are reserved; it keeps each worker's ids ascending.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/random.hpp"
#include "id/clock/clock.hpp"
#include "id/stores/store.hpp"
#include "net/timers.hpp"

namespace zerosuite::id {

struct WorkerIdOptions {
  Claim claim;
  core::milliseconds renew{5'000};
  core::milliseconds margin{2'000};  ///< How long before its end the lease is no longer used.
};

/// Belongs to the loop's thread. `told` may be empty; for the log, it gets each worker id gained, and the
/// reason when there is none.
class WorkerIdLease {
 public:
  using Callback = std::function<void(const core::Result<Lease>&)>;

  WorkerIdLease(net::Timers& timers, Store& store, IdTime& time, WorkerIdOptions options, Callback told);

  /// Claims a worker id, with retries, and again after it was lost.
  void start();
  /// Releases it; `done` runs once that is done, or has failed.
  void stop(core::MoveFunction<void()> done);

  /// nullopt if the worker id may be used at that time (CLOCK_BOOTTIME); otherwise LeaseLost, with the
  /// reason.
  std::optional<core::Error> check(std::int64_t boot_ns) const;
  /// Why the last claim failed, or the lease was lost.
  const core::Error& why() const { return why_; }
  /// The lease as last granted; valid once generation() is not 0.
  const Lease& lease() const { return lease_; }
  const Claim& claim() const { return options_.claim; }
  /// Rises each time a worker id is gained: what was reserved before must no longer be used.
  std::uint64_t generation() const { return generation_; }
  /// How long it may be used from that time on; nullopt if without limit.
  std::optional<core::milliseconds> left(std::int64_t boot_ns) const;

 private:
  void ask();
  void claimed(const core::Result<Lease>& lease, std::int64_t asked_ns);
  void renewed(const core::Result<Lease>& lease, std::int64_t asked_ns);
  void hold(const Lease& lease, std::int64_t asked_ns);
  void lose(const core::Error& why);

  Store& store_;
  IdTime& time_;
  const WorkerIdOptions options_;
  const Callback told_;
  const bool leased_;
  Lease lease_;
  std::uint64_t generation_ = 0;
  bool held_ = false;
  bool stopped_ = false;
  std::int64_t until_ns_ = 0;
  core::Error why_;
  core::ForkMark mark_;
  net::Timer again_;
};

}  // namespace zerosuite::id
