// The worker id in this issuer's snowflakes: whose it is, and until when.
//
// Of a shared store it is leased (Gray and Cheriton, "Leases", SOSP 1989): renewed every few seconds and not
// used any more some time before another may have it, by the clock that counts suspended time. Uniqueness
// does not rest on this, since ticks are reserved; it keeps every worker's ids ascending.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/entropy.hpp"
#include "id/clock/clock.hpp"
#include "id/stores/store.hpp"
#include "net/timers.hpp"

namespace zerosuite::id {

struct WorkerIdOptions {
  Claim claim;
  core::milliseconds renew{5'000};
  core::milliseconds margin{2'000};  ///< How long before its end it is not used any more.
};

/// Belongs to the loop's thread. `told` may be empty; it hears, for the log, of the worker id that was
/// gained, and why there is none.
class WorkerIdLease {
 public:
  using Callback = std::function<void(const core::Result<Lease>&)>;

  WorkerIdLease(net::Timers& timers, Store& store, IdTime& time, WorkerIdOptions options, Callback told);

  /// Asks for it until it is there, and again when it was lost.
  void start();
  /// Gives it back; `done` runs once it is, or could not be.
  void stop(core::MoveFunction<void()> done);

  /// Nullopt when it may be used at that time (CLOCK_BOOTTIME): else LeaseLost, with the reason it is not
  /// there.
  std::optional<core::Error> check(std::int64_t boot_ns) const;
  /// Why it was not there when it was last asked for.
  const core::Error& why() const { return why_; }
  /// As it was last granted; only once generation() is not 0.
  const Lease& lease() const { return lease_; }
  const Claim& claim() const { return options_.claim; }
  /// Rises each time a worker id is gained: what was reserved before is not to be used any more.
  std::uint64_t generation() const { return generation_; }
  /// How long it may be used from that time on; nullopt when it does not end.
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
