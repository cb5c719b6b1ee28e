// Ids of the second and a counter in Redis: ((seconds − epoch) << 32) | counter, the counter being that of
// the key icr:PREFIX:yyyy:MM:dd, as many services make them by INCR; but here Redis tells the time, it never
// goes back, and neither part can spill into the other.
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

/// Belongs to the loop's thread. May be destroyed before its calls are answered: they still are, as long as
/// the Redis client is there. The client must outlive it.
class RedisIds {
 public:
  /// `store` is asked whether this Redis is still the one that it opened; `most` prefixes are in memory,
  /// those used last.
  RedisIds(db::Redis& redis, const RedisStore& store, std::size_t most);

  /// The next id of a prefix, greater than every one this object answered for it before, also when Redis has
  /// lost its last writes or its clock was set back. `epoch_s`, in seconds since 1970, should be the same for
  /// a prefix at all times. Errors: StoreRegressed when Redis has lost its data, TimeExhausted when the
  /// seconds since the epoch do not fit 31 bits, RangeExhausted when the day's counter does not fit 32, and
  /// those of db::Redis::command(); an Indeterminate one has used up an id at most.
  void next(const std::string& prefix, std::int64_t epoch_s, core::Done<std::int64_t> done);

 private:
  struct Moment {
    std::int64_t seconds = 0;
    std::int64_t counter = 0;

    // NOLINTNEXTLINE(modernize-use-nullptr): takes the 0 of a defaulted comparison for a pointer
    friend auto operator<=>(const Moment&, const Moment&) = default;
  };
  /// The last of a prefix.
  struct Place {
    Moment last;

    bool idle() const { return true; }
    void stop(const core::SharedLatch&) {}
  };
  using Seen = LruMap<Place>;

  struct Wish;
  static void ask(Wish wish);
  static void answer(Wish wish, const db::RedisReply& reply);
  /// Nullopt for what the script does not answer.
  static std::optional<Moment> moment_in(const db::RedisReply& reply);

  db::Redis& redis_;
  const RedisStore& store_;
  const std::shared_ptr<Seen> seen_;
};

}  // namespace zerosuite::id::stores
