#include "id/stores/redis_replicas.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "core/clock.hpp"
#include "core/json.hpp"

namespace zerosuite::id::stores {

RedisReplicas::RedisReplicas(db::Redis& redis, int wanted)
    : asking_(std::make_shared<Asking>(Asking{.redis = redis, .wanted = wanted})) {}

void RedisReplicas::confirm(Callback told) {
  asking_->next.push_back(std::move(told));
  if (!asking_->busy) ask(asking_);
}

void RedisReplicas::ask(const std::shared_ptr<Asking>& asking) {
  asking->busy = !asking->next.empty();
  if (!asking->busy) return;
  // A request that arrives meanwhile waits for this WAIT and the next one, and must still finish in time.
  const auto limit = std::max(asking->redis.options().command_timeout / 4, core::milliseconds(1));
  asking->redis.command(
      {"WAIT", std::to_string(asking->wanted), std::to_string(limit.count())},
      [asking, asked = std::exchange(asking->next, {})](const core::Result<db::RedisReply>& reached) mutable {
        const auto error = lack(asking->wanted, reached);
        for (Callback& told : asked) told(error);
        ask(asking);
      });
}

std::optional<core::Error> RedisReplicas::lack(int wanted, const core::Result<db::RedisReply>& reached) {
  if (!reached) return core::Error{core::kIndeterminate, reached.error().message, reached.error().details};
  if (!reached->is_integer())
    return core::Error{core::kIndeterminate, "Redis did not answer WAIT with the number of replicas"};
  if (reached->integer() >= wanted) return std::nullopt;
  return core::Error{core::kIndeterminate, "too few replicas of Redis have what was reserved",
                     core::Json().add("replicas", reached->integer()).add("wanted", wanted)};
}

}  // namespace zerosuite::id::stores
