#include "id/stores/redis_ids.hpp"

#include <limits>
#include <utility>

#include "core/json.hpp"
#include "id/stores/redis_scripts.hpp"
#include "id/stores/store_errors.hpp"

namespace zerosuite::id::stores {
namespace {

using core::Json, core::Result;

constexpr int kCounterBits = 32;
constexpr std::int64_t kLastCounter = (std::int64_t{1} << kCounterBits) - 1;
constexpr std::int64_t kLastSecond = std::numeric_limits<std::int32_t>::max();
constexpr int kMostAsked = 10;  // every repetition is due to another loss of data

core::Error time_exhausted(std::int64_t seconds, std::int64_t epoch_s) {
  return {core::kTimeExhausted, "the seconds since the epoch do not fit 31 bits",
          Json().add("seconds", seconds).add("epoch_s", epoch_s)};
}

core::Error no_moment() {
  return {core::kStorageError, "Redis answered a second and a counter that cannot be"};
}

core::Error counter_exhausted(const std::string& prefix) {
  return {core::kRangeExhausted, "the counter of the day has come to its last value",
          Json().add("prefix", prefix).add("max", kLastCounter)};
}

}  // namespace

struct RedisIds::Wish {
  db::Redis& redis;
  std::string state_key;
  std::string store_id;
  std::shared_ptr<Seen> seen;
  std::string prefix;
  std::int64_t epoch_s;
  core::Done<std::int64_t> done;
  int asked = 0;

  Moment& last() const {
    return seen->use(prefix, [] { return std::make_shared<Place>(); }).last;
  }
};

RedisIds::RedisIds(db::Redis& redis, const RedisStore& store, std::size_t most)
    : redis_(redis), store_(store), seen_(std::make_shared<Seen>(most)) {}

void RedisIds::next(const std::string& prefix, std::int64_t epoch_s, core::Done<std::int64_t> done) {
  ask({redis_, store_.state_key(), store_.id(), seen_, prefix, epoch_s, std::move(done)});
}

std::optional<RedisIds::Moment> RedisIds::moment_in(const db::RedisReply& reply) {
  if (!reply.is_list() || reply.list().size() < 2) return std::nullopt;
  const db::RedisReply& seconds = reply.at(0);
  const db::RedisReply& counter = reply.at(1);
  if (!seconds.is_integer() || !counter.is_integer()) return std::nullopt;
  const Moment moment{seconds.integer(), counter.integer()};
  const bool good = moment.seconds >= 0 && moment.seconds <= scripts::kLastInteger && moment.counter > 0;
  return good ? std::optional(moment) : std::nullopt;
}

void RedisIds::ask(Wish wish) {
  const Moment last = wish.last();
  const std::vector<std::string> keys{wish.state_key, "icr:" + wish.prefix + ":"};
  const std::vector<std::string> arguments{wish.store_id, std::to_string(last.seconds),
                                           std::to_string(last.counter), std::to_string(kLastCounter)};
  ++wish.asked;
  db::Redis& redis = wish.redis;
  redis.eval(scripts::kNextId, keys, arguments,
             [wish = std::move(wish)](const Result<db::RedisReply>& reply) mutable {
               if (!reply) return wish.done(reply.error());
               answer(std::move(wish), *reply);
             });
}

void RedisIds::answer(Wish wish, const db::RedisReply& reply) {
  if (reply.is_list() && reply.list().size() == 1) return wish.done(store_has_forgotten());
  const auto now = moment_in(reply);
  if (!now) return wish.done(no_moment());
  if (now->counter > kLastCounter) return wish.done(counter_exhausted(wish.prefix));
  Moment& seen = wish.last();
  if (*now <= seen) {  // Redis lost data while the request was in flight
    if (wish.asked == kMostAsked) return wish.done(no_moment());
    return ask(std::move(wish));
  }
  seen = *now;
  if (wish.epoch_s > now->seconds || wish.epoch_s < now->seconds - kLastSecond)
    return wish.done(time_exhausted(now->seconds, wish.epoch_s));
  wish.done((now->seconds - wish.epoch_s) << kCounterBits | now->counter);
}

}  // namespace zerosuite::id::stores
