// Ids of time, counters and random bits, without a store or a worker id: unique with overwhelming probability
// and, except for version 4 UUIDs, with certainty within this process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/random.hpp"
#include "id/clock/clock.hpp"
#include "id/random/ksuid.hpp"
#include "id/random/object_id.hpp"
#include "id/random/ulid.hpp"
#include "id/random/uuid.hpp"

namespace zerosuite::id {

enum class RandomKind : std::uint8_t {
  kUuid4,     ///< 122 random bits.
  kUuid6,     ///< Time in 100 ns, and 61 fresh random bits. Rising.
  kUuid7,     ///< Time in 1/4096 ms, and 62 fresh random bits (RFC 9562 §6.2, method 3). Rising.
  kUlid,      ///< Rising.
  kKsuid,     ///< Rising.
  kXid,       ///< Time in seconds.
  kObjectId,  ///< Time in seconds.
};

/// The optional fields of a uuid1.
struct Uuid1Choice {
  std::optional<std::int64_t> node = {};       ///< 48 bits; by default random, constant for this process.
  std::optional<std::int64_t> clock_seq = {};  ///< Low 14 bits; by default random, constant for this process.
};

/// "Rising" ids are strictly increasing within the process, and across restarts if the times passed to
/// on_reached()'s callback are stored and passed to raise() at the next start: if the clock stands still, is
/// set back or is too slow, ids take times ahead of it. After fork(2), and when the clocks show that the
/// machine may have been copied, all random parts are renewed. Belongs to one thread; must not outlive time
/// and entropy.
class RandomIds {
 public:
  RandomIds(IdTime& time, core::Entropy& entropy);

  /// Returns `n` texts. Throws core::Failure TimeExhausted if the time does not fit, std::system_error if the
  /// system provides no randomness.
  std::vector<std::string> issue(RandomKind kind, std::size_t n);
  /// As Python's uuid.uuid1(); its time differs from that of every other uuid1 and uuid6 of this process.
  /// Throws core::Failure InvalidArgument for a node of more than 48 bits.
  std::string uuid1(const Uuid1Choice& choice);

  /// Rising ids continue at this time or later: an earlier process may have used all times before it.
  void raise(std::int64_t first_ms);
  /// `reached` runs during each call, with the latest millisecond in a rising id so far.
  void on_reached(std::function<void(std::int64_t ms)> reached) { reached_ = std::move(reached); }

 private:
  Now look();
  void tell() const;
  void renew();
  std::string next(RandomKind kind, std::int64_t ns);
  std::int64_t next_gregorian(std::int64_t ns);

  IdTime& time_;
  core::Entropy& entropy_;
  std::function<void(std::int64_t)> reached_;
  core::ForkMark mark_;
  std::uint64_t discontinuities_ = 0;
  std::uint64_t node_ = 0;
  std::uint32_t clock_seq_ = 0;
  MonotonicTicks gregorian_;
  MonotonicTicks uuid7_;
  MonotonicUlids ulids_{entropy_};
  MonotonicKsuids ksuids_{entropy_};
  ObjectIdGenerator xids_{entropy_};
  ObjectIdGenerator objectids_{entropy_};
};

}  // namespace zerosuite::id
