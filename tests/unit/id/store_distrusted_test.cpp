// What is not believed at once: a Redis that knows nothing, and a wall clock that another machine's is far
// behind.
#include <doctest/doctest.h>

#include "support/id_world.hpp"
#include "support/store_rigs.hpp"

namespace zerosuite::test::store_distrusted_test {

using id::Claim;
using id::Lease;

// A store on a Redis that has lost, or never had, any data of it.
struct EmptyRedis : RedisStoreRig {
  EmptyRedis() { forget(); }

  void forget() {
    for (const char* key : {"workers", "born"}) REQUIRE(client.ask({"DEL", prefix + key}));
  }
};

Claim claim_of(const std::string& owner, std::optional<std::int64_t> worker = {}) {
  return {.worker = worker, .workers = 1024, .owner = owner, .ttl = 200ms};
}

TEST_CASE("a Redis that knows nothing gives out no worker id until a lease has passed") {
  EmptyRedis redis;
  const auto refused = redis.claim(claim_of("ann"));
  CHECK(name_of(refused) == "Unavailable");
  CHECK(refused.error().text().find("\"retry_after_ms\":") != std::string::npos);
  CHECK(name_of(redis.claim(claim_of("ann", 5))) == "Unavailable");
  const auto until = core::Clock::now() + 5s;
  auto granted = redis.claim(claim_of("ann"));
  while (!granted && core::Clock::now() < until) granted = redis.claim(claim_of("ann"));
  REQUIRE(granted);
  CHECK(granted->worker == 0);
}

TEST_CASE("who has a worker id keeps it when Redis has lost everything, and nobody else gets it") {
  EmptyRedis redis;
  const Lease lease{.worker = 3, .epoch = 7};
  const Claim ann = claim_of("ann"), bob = claim_of("bob", 3);
  CHECK(name_of(redis.claim(bob)) == "Unavailable");
  const auto renewed = redis.renew(ann, lease);
  REQUIRE(renewed);
  CHECK(renewed->worker == 3);
  CHECK(renewed->epoch == 7);
  CHECK(name_of(redis.claim(bob)) == "WorkerIdInUse");
  CHECK(name_of(redis.renew(bob, lease)) == "LeaseLost");
}

TEST_CASE("a Redis that has been there for long believes nobody without a record") {
  RedisStoreRig redis;
  CHECK(name_of(redis.renew(claim_of("ann"), {.worker = 3, .epoch = 7})) == "LeaseLost");
}

TEST_CASE("at the start a wall clock far ahead of another machine's is not followed") {
  IdWorld world;
  IdProcess process(world);
  id::IdTime& time = process.time;
  const std::int64_t now_ms = time.look().ns / 1'000'000;
  time.distrust(now_ms - 60'000);
  CHECK(time.look().ns / 1'000'000 == now_ms);
  CHECK_FALSE(time.jump());
  time.distrust(now_ms - 60'001);
  CHECK(time.look().ns / 1'000'000 == now_ms - 60'001);
  CHECK(time.jump());
}

}  // namespace zerosuite::test::store_distrusted_test
