// Ids that are unique by chance, of time and random bits: no store, no worker id, and no two alike in this
// process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/entropy.hpp"
#include "id/clock/clock.hpp"
#include "id/random/ksuid.hpp"
#include "id/random/object_id.hpp"
#include "id/random/ulid.hpp"
#include "id/random/uuid.hpp"

namespace zerosuite::id {

enum class RandomKind : std::uint8_t {
  kUuid4,     ///< 122 random bits.
  kUuid6,     ///< 100 ns, and 61 fresh random bits. Rising.
  kUuid7,     ///< 1/4096 ms, and 62 fresh random bits (RFC 9562 §6.2, method 3). Rising.
  kUlid,      ///< Rising.
  kKsuid,     ///< Rising.
  kXid,       ///< By the second.
  kObjectId,  ///< By the second.
};

/// What a caller may choose of a uuid1.
struct Uuid1Choice {
  std::optional<std::int64_t> node = {};       ///< 48 bits; else random, the same for this process.
  std::optional<std::int64_t> clock_seq = {};  ///< Its low 14 bits; else random, the same for this process.
};

/// "Rising" is strict within the process, and beyond it when what on_reached() tells is kept and given to
/// raise() at the next start: where the clock stands still, is set back, or is too slow, the next moments are
/// borrowed. After fork(2), and when the clocks tell that the machine may have
/// been copied, all random parts are other ones. Belongs to one thread; must not outlive time and entropy.
class RandomIds {
 public:
  RandomIds(IdTime& time, core::Entropy& entropy);

  /// `n` texts. Throws core::Failure TimeExhausted where the time does not fit, std::system_error without
  /// randomness.
  std::vector<std::string> issue(RandomKind kind, std::size_t n);
  /// As Python's uuid.uuid1(); its time is never that of another uuid1 or uuid6 of this process.
  /// InvalidArgument for a node of more bits.
  std::string uuid1(const Uuid1Choice& choice);

  /// Rising ids go on at this time or later: an earlier process may have come this far.
  void raise(std::int64_t first_ms);
  /// `reached` is called after each call with the latest millisecond in a rising id so far.
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
