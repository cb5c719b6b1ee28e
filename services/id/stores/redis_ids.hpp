// Ids from the time in seconds and a counter in Redis: ((seconds − epoch) << 32) | counter, where the counter
// is that of the key icr:PREFIX:yyyy:MM:dd. Many services make such ids with INCR; here, however, the time is
// Redis' own and never goes back, and neither part can overflow into the other.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/result.hpp"
#include "db/redis.hpp"
#include "id/stores/lru_map.hpp"
#include "id/stores/redis_store.hpp"

namespace zerosuite::id::stores {

/// Belongs to the loop's thread. May be destroyed while calls are pending: they complete as long as the Redis
/// client exists. The client must outlive it.
class RedisIds {
 public:
  /// Ids are only issued while Redis is the store that `store` opened. At most `most` prefixes are in memory,
  /// the most recently used ones.
  RedisIds(db::Redis& redis, const RedisStore& store, std::size_t most);

  /// The next id of a prefix, greater than every one this object returned for it before, even if Redis has
  /// lost its last writes or its clock was set back. `epoch_s`, in seconds since 1970, should always be the
  /// same for a prefix. Errors: StoreRegressed if Redis has lost its data, TimeExhausted if the seconds since
  /// the epoch do not fit 31 bits, RangeExhausted if the day's counter does not fit 32, and those of
  /// db::Redis::command(); after Indeterminate at most one id is lost.
  void next(const std::string& prefix, std::int64_t epoch_s, core::Done<std::int64_t> done);

 private:
  struct Moment {
    std::int64_t seconds = 0;
    std::int64_t counter = 0;

    // NOLINTNEXTLINE(modernize-use-nullptr): takes the 0 of a defaulted comparison for a pointer
    friend auto operator<=>(const Moment&, const Moment&) = default;
  };
  /// The last id of a prefix.
  struct Place {
    Moment last;

    bool idle() const { return true; }
    void stop(const core::SharedLatch&) {}
  };
  using Seen = LruMap<Place>;

  struct Wish;
  static void ask(Wish wish);
  static void answer(Wish wish, const db::RedisReply& reply);
  /// nullopt for a reply that the script cannot have made.
  static std::optional<Moment> moment_in(const db::RedisReply& reply);

  db::Redis& redis_;
  const RedisStore& store_;
  const std::shared_ptr<Seen> seen_;
};

}  // namespace zerosuite::id::stores
