// Confirms that writes have reached the replicas of a Redis server (https://redis.io/commands/wait).
//
// WAIT blocks all later commands on its connection. So only one is in flight at a time, on behalf of all
// writes made while the previous one was in flight: if a replica is gone, leases must still be renewed.
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
  /// Gets nullopt if enough replicas have the writes, otherwise Indeterminate.
  using Callback = core::MoveFunction<void(const std::optional<core::Error>&)>;

  RedisReplicas(db::Redis& redis, int wanted);

  /// Asks about all writes so far. Call it when the reply to the last write arrives: WAIT covers the writes
  /// of its own connection.
  void confirm(Callback told);

 private:
  struct Asking {
    db::Redis& redis;
    const int wanted;
    std::vector<Callback> next = {};  // for the next WAIT, after the present one
    bool busy = false;
  };

  static void ask(const std::shared_ptr<Asking>& asking);
  static std::optional<core::Error> lack(int wanted, const core::Result<db::RedisReply>& reached);

  std::shared_ptr<Asking> asking_;
};

}  // namespace zerosuite::id::stores
