// Makes acquires exactly-once over a network that loses replies: a request_id names one request of its owner;
// a repeat gets the same reply and is not executed again (as Hazelcast's FencedLock does with its invocation
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
    std::size_t fingerprint = 0;  ///< A hash of the request.
    std::uint64_t waiter = 0;     ///< Its id; zero once granted.
    Granted granted;
    std::size_t answers = 1;  ///< Replies given, less those known to be undelivered.

    friend std::size_t footprint(const Entry& past) { return lock::footprint(past.granted); }
  };

  explicit RequestDedup(const Limits& limits)
      : past_(limits.memory, capacity(limits)), numbers_(limits.memory, capacity(limits)) {}

  /// The entry of the same request; null if it is new or has no id. Throws core::Failure: RequestConflict if
  /// the id was used for a different request, Cancelled if a new request's number is below the owner's
  /// highest, so that a late message cannot take the lock again.
  const Entry* find(const Request& request);

  void begun(const Request& request, std::uint64_t waiter, core::TimePoint now);
  void granted(const LockSpec& spec, const Granted& granted, core::TimePoint now);
  /// Calls granted() for every acquire among the hold's records; `granted` is the hold's current state.
  void granted_by_records(const LockSpec& hold, Granted granted, core::TimePoint now);
  /// Counts `more` replies to repeats of the request.
  void repeated(const LockSpec& spec, std::size_t more);
  /// One of the request's replies was not delivered. Returns whether that was the last of them; false too if
  /// the request has been forgotten.
  bool reached_nobody(const LockSpec& spec);
  /// The request was not granted: a repeat is tried again.
  void failed(const LockSpec& spec, std::uint64_t waiter);
  /// Forgets entries that are due; false if more are due than one call should forget.
  bool forget(core::TimePoint now);

 private:
  ExpiringMap<std::string, Entry> past_;            // by owner and request_id
  ExpiringMap<std::string, std::int64_t> numbers_;  // an owner's highest integer request_id
};

}  // namespace zerosuite::lock
