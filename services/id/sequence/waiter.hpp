// Callers that wait for values of a key, and the errors they get when there are none.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/json.hpp"
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
inline std::optional<core::Error> refusal(const Key& key, Client client, const WaitQueue<Waiter>& queue,
                                          const Reserver& reserver) {
  // Waiting would not help. After the pause a caller is let through, to find out whether it is over.
  if (reserver.resting() && reserver.trouble()->name == core::kStoreRegressed.name) return reserver.trouble();
  if (queue.has_room(client)) return std::nullopt;
  return core::Error{core::kOverloaded,
                     std::to_string(queue.size()) + " callers wait for '" + key.name + "' already",
                     core::Json().add("retry_after_ms", reserver.pauses().first.count())};
}

/// The error after a caller's deadline: SegmentExhausted (for a tag) or Unavailable, with {"retry_after_ms"}.
inline core::Error too_late(const Key& key, const WaitOptions& options, const Reserver& reserver) {
  std::string words =
      "'" + key.name + "': nothing came within " + std::to_string(options.park.count()) + " ms";
  if (const auto& trouble = reserver.trouble()) words += "; " + trouble->name + ": " + trouble->message;
  const auto& name = key.kind == Key::Kind::kTag ? core::kSegmentExhausted : core::kUnavailable;
  return {name, std::move(words), core::Json().add("retry_after_ms", reserver.pause().count())};
}

/// The error when the key has no more values below `end`.
inline core::Error range_exhausted(const Key& key, std::int64_t end) {
  return {core::kRangeExhausted, "'" + key.name + "' has come to its last value",
          core::Json().add("max", end - 1)};
}

}  // namespace zerosuite::id
