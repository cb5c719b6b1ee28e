// Makes acquires exactly-once over a network that loses answers: a request_id names one request of its owner,
// and asked again it is answered again, not done again (as Hazelcast's FencedLock does with its invocation
// uids: hazelcast/hazelcast, cp/internal/datastructures/lock/Lock.java).
#pragma once

#include <cstdint>
#include <string>

#include "lock/broker/expiring_map.hpp"
#include "lock/broker/request.hpp"

namespace zerosuite::lock {

/// Loop thread only.
class RequestDedup {
 public:
  struct Entry {
    std::size_t fingerprint = 0;  ///< A hash of what was asked.
    std::uint64_t waiter = 0;     ///< On its way; zero once it was granted.
    Granted granted;
    std::size_t answers = 1;  ///< Given, less those of which it is known that they reached nobody.

    friend std::size_t footprint(const Entry& past) { return lock::footprint(past.granted); }
  };

  explicit RequestDedup(const Limits& limits)
      : past_(limits.memory, capacity(limits)), numbers_(limits.memory, capacity(limits)) {}

  /// What became of the same request; null when it is new, or has no id. Throws core::Failure:
  /// RequestConflict when it asked for something else, Cancelled when its number is below the owner's
  /// highest, so that a message that comes late cannot take the lock again.
  const Entry* find(const Request& request);

  void begun(const Request& request, std::uint64_t waiter, core::TimePoint now);
  void granted(const LockSpec& spec, const Granted& granted, core::TimePoint now);
  /// All that the hold was taken and entered by, as its records tell; `granted` is the hold as it is.
  void granted_by_records(const LockSpec& hold, Granted granted, core::TimePoint now);
  /// It was answered so `more` times more.
  void repeated(const LockSpec& spec, std::size_t more);
  /// One of its answers reached nobody: whether that was the last of them. False too when that is not known
  /// any more.
  bool reached_nobody(const LockSpec& spec);
  /// It was not granted: asked again, it is tried again.
  void failed(const LockSpec& spec, std::uint64_t waiter);
  /// False when more is due than one call should do.
  bool forget(core::TimePoint now);

 private:
  ExpiringMap<std::string, Entry> past_;            // by owner and request_id
  ExpiringMap<std::string, std::int64_t> numbers_;  // an owner's highest integer request_id
};

}  // namespace zerosuite::lock
