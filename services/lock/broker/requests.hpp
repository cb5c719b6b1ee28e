// Makes acquires exactly-once over a network that loses answers: a request_id names one request of its owner,
// and asked again it is answered again, not done again (as Hazelcast's FencedLock does with its invocation
// uids: hazelcast/hazelcast, cp/internal/datastructures/lock/Lock.java).
#pragma once

#include <cstdint>
#include <string>

#include "lock/broker/memory.hpp"
#include "lock/broker/request.hpp"

namespace zerosuite::lock {

/// Loop thread only.
class Requests {
 public:
  struct Past {
    std::size_t shape = 0;      ///< A hash of what was asked.
    std::uint64_t attempt = 0;  ///< On its way; zero once it was granted.
    Granted granted;
    bool repeated = false;  ///< Answered more than once.

    friend std::size_t footprint(const Past& past) { return lock::footprint(past.granted); }
  };

  explicit Requests(const Limits& limits)
      : past_(limits.memory, capacity(limits)), numbers_(limits.memory, capacity(limits)) {}

  /// What became of the same request; null when it is new, or has no id. Throws core::Failure:
  /// RequestConflict when it asked for something else, Cancelled when its number is below the owner's
  /// highest, so that a message that comes late cannot take the lock again.
  const Past* find(const Request& request);

  void begun(const Request& request, std::uint64_t attempt, core::TimePoint now);
  void granted(const Claim& claim, const Granted& granted, core::TimePoint now);
  /// It was asked again and answered so.
  void repeated(const Claim& claim);
  /// Whether it was granted and has not been asked again since. False too when that is not known any more.
  bool heard_once(const Claim& claim);
  /// It was not granted: asked again, it is tried again.
  void failed(const Claim& claim, std::uint64_t attempt);
  /// False when more is due than one call should do.
  bool forget(core::TimePoint now);

 private:
  Memory<std::string, Past> past_;             // by owner and request_id
  Memory<std::string, std::int64_t> numbers_;  // an owner's highest integer request_id
};

}  // namespace zerosuite::lock
