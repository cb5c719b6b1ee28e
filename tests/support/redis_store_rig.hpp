// The id issuer's Redis store on a real server, each rig on keys of its own.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include "id/stores/redis_store.hpp"
#include "support/redis_rig.hpp"
#include "support/redis_server.hpp"
#include "support/store_calls.hpp"

namespace zerosuite::test {

/// One for all tests that do it no harm.
inline RedisServer& common_redis_server() {
  static RedisServer server;
  return server;
}

/// What the suite over the seam needs of a rig: `store()`, `settle()` until all that was asked is answered,
/// and `pass(duration)`.
class RedisStoreRig {
 public:
  RedisStoreRig() : RedisStoreRig(common_redis_server()) {}
  explicit RedisStoreRig(const RedisServer& server, int wait_replicas = 0)
      : client({.endpoint = server.endpoint(), .longest_pause = core::milliseconds(100)}),
        redis_store(*client.redis, {.prefix = prefix, .wait_replicas = wait_replicas}) {
    if (!client.connect()) throw std::runtime_error("no connection to " + server.endpoint());
    const auto old = client.ask({"SET", prefix + "born", "0"});  // not one that may have lost its data
    if (!old) throw std::runtime_error(old.error().text());
  }

  id::Store& store() { return redis_store; }
  StoreCalls<RedisStoreRig> ask() { return StoreCalls<RedisStoreRig>(*this); }
  void settle() {
    if (!client.settle()) throw std::runtime_error("Redis does not answer");
  }
  /// Takes the time off the leases instead of waiting for it.
  void pass(core::milliseconds duration) {
    settle();
    const auto passed = client.ask({"EVAL", kAge, "1", prefix + "workers", std::to_string(duration.count())});
    if (!passed) throw std::runtime_error(passed.error().text());
  }

  const std::string prefix = "test" + std::to_string(++rigs_) + ":";
  RedisRig client;
  id::stores::RedisStore redis_store;

 private:
  static constexpr const char* kAge = R"lua(
local leases = redis.call('HGETALL', KEYS[1])
for i = 1, #leases, 2 do
  local epoch, ends, owner = string.match(leases[i + 1], '^(%d+) (%d+) (.*)$')
  if ends ~= '0' then
    redis.call('HSET', KEYS[1], leases[i], epoch .. ' ' .. string.format('%.0f', ends - ARGV[1]) .. ' ' .. owner)
  end
end
return 1
)lua";

  static inline int rigs_ = 0;
};

}  // namespace zerosuite::test
