#include "db/redis_address.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "support/redis_rig.hpp"

namespace zerosuite::test::redis_address_test {

using db::parse_redis_address;

TEST_CASE("a Redis server is a host with a port or the path of a socket") {
  const auto name = parse_redis_address("redis.example:6379");
  CHECK(name.host == "redis.example");
  CHECK(name.port == 6379);
  CHECK(name.path.empty());
  const auto numeric = parse_redis_address("[::1]:65535");
  CHECK(numeric.host == "::1");
  CHECK(numeric.port == 65535);
  CHECK(parse_redis_address("unix:/run/redis.sock").path == "/run/redis.sock");

  for (const char* wrong : {"", ":", "redis", "redis:", ":6379", "redis:0", "redis:65536", "redis:63x",
                            "redis:-1", "::1:6379", "[]:6379", "unix:", "tcp://redis:6379"})
    CHECK_THROWS_AS(parse_redis_address(wrong), core::Failure);
}

TEST_CASE("a name is looked up anew for each connection") {
  RedisServer server;
  const auto asked = std::make_shared<std::atomic<int>>(0);
  RedisRig rig({.endpoint = "redis.example:" + std::to_string(server.port()), .longest_pause = 50ms},
               {.ask = [asked](const std::string& host) -> net::Addresses {
                 ++*asked;
                 CHECK(host == "redis.example");
                 return std::vector<std::string>{"127.0.0.1"};
               }});
  CHECK_FALSE(rig.redis->connected());
  for (int round = 0; round < 2; ++round) {
    const int before = *asked;
    REQUIRE(rig.connect());
    CHECK(*asked > before);
    server.kill();
    REQUIRE(turn_until(rig.reactor, [&] { return !rig.redis->connected(); }));
    server.start();
  }
}

TEST_CASE("a name that is not found is looked up again") {
  const auto asked = std::make_shared<std::atomic<int>>(0);
  RedisRig rig({.endpoint = "redis.example:6379", .longest_pause = 50ms},
               {.ask = [asked](const std::string& host) -> net::Addresses {
                 ++*asked;
                 return core::Error{core::kUnavailable, host + ": nobody knows it"};
               }});
  REQUIRE(turn_until(rig.reactor, [&] { return *asked == 3; }));
  CHECK(rig.redis->trouble()->text().find("redis.example: nobody knows it") != std::string::npos);
}

TEST_CASE("a client destroyed while its name is looked up is not touched by the answer") {
  std::promise<void> end;
  RedisRig rig({.endpoint = "redis.example:6379"},
               {.ask = [ended = end.get_future().share()](const std::string&) -> net::Addresses {
                 ended.wait();
                 return std::vector<std::string>{"127.0.0.1"};
               }});
  int told = 0;
  rig.redis->on_change([&](const std::optional<core::Error>&) { ++told; });
  for (int i = 0; i < 5; ++i) rig.reactor.turn(1ms);
  rig.redis.reset();
  end.set_value();
  for (int i = 0; i < 20; ++i) rig.reactor.turn(1ms);
  CHECK(told == 0);
}

}  // namespace zerosuite::test::redis_address_test
