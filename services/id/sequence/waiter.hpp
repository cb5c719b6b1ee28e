// Callers that wait for values of a key, and the errors they get when there are none.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "core/result.hpp"
#include "id/snowflake/wait_queue.hpp"
#include "id/stores/reserver.hpp"
#include "id/stores/store.hpp"

namespace zerosuite::id {

/// Values first, first + delta, …
struct Series {
  std::int64_t first = 0;
  std::int64_t count = 0;
  std::int64_t delta = 1;

  friend bool operator==(const Series&, const Series&) = default;
};

/// A caller that waits for values.
struct Waiter {
  Client client = 0;
  std::int64_t count = 1;
  /// All values in one series. They do not count towards the rate, since the caller uses them up at its own
  /// pace.
  bool whole = false;
  std::int64_t end = std::numeric_limits<std::int64_t>::max();  ///< All its values must be below this.
  core::Done<std::vector<Series>> done;
};

struct WaitOptions {
  core::milliseconds park{2'000};   ///< How long a caller waits for the store.
  std::size_t max_parked = 50'000;  ///< The maximum number of waiters of one key; Overloaded beyond. See
                                    ///< FairQueue::has_room().
  Reserver::Pauses pauses = {};     ///< After a store error.
};

/// Why a caller cannot wait: StoreRegressed while the store is known to have lost data, or Overloaded.
std::optional<core::Error> refusal(const Key& key, Client client, const WaitQueue<Waiter>& queue,
                                   const Reserver& reserver);
/// The error after a caller's deadline: SegmentExhausted (for a tag) or Unavailable, with {"retry_after_ms"}.
core::Error too_late(const Key& key, const WaitOptions& options, const Reserver& reserver);
/// The error when the key has no more values below `end`.
core::Error range_exhausted(const Key& key, std::int64_t end);

}  // namespace zerosuite::id
