// Whether what was written has come to the replicas of a Redis server (https://redis.io/commands/wait).
//
// WAIT holds up all that is asked on its connection after it. So there is one at a time, for all that was
// written while the one before was on its way: with a replica gone, leases must still be renewed.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/error.hpp"
#include "core/function.hpp"
#include "core/result.hpp"
#include "db/redis.hpp"

namespace zerosuite::id::stores {

/// Belongs to the loop's thread. Copies share their state. May be destroyed before all callbacks ran; the
/// client must outlive it.
class RedisReplicas {
 public:
  /// Gets nullopt when enough of them have it, or else Indeterminate.
  using Callback = core::MoveFunction<void(const std::optional<core::Error>&)>;

  RedisReplicas(db::Redis& redis, int wanted);

  /// Asks about all that was written so far. To be called when the answer to the last write arrives: Redis
  /// counts what was written on the connection that asks.
  void confirm(Callback told);

 private:
  struct Asking {
    db::Redis& redis;
    const int wanted;
    std::vector<Callback> next = {};  // to be asked for when the present one is answered
    bool busy = false;
  };

  static void ask(const std::shared_ptr<Asking>& asking);
  static std::optional<core::Error> lack(int wanted, const core::Result<db::RedisReply>& reached);

  std::shared_ptr<Asking> asking_;
};

}  // namespace zerosuite::id::stores
