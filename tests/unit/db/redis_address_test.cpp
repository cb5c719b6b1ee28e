#include "db/redis_address.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>

#include "core/error.hpp"
#include "support/redis_rig.hpp"
#include "support/redis_server.hpp"

namespace redis_address_test {

using namespace std::chrono_literals;
using namespace zerosuite;
using db::Lookup;
using db::parse_redis_address;
using test::RedisRig;
using test::RedisServer;
using test::turn_until;

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

TEST_CASE("numeric addresses are read without asking anybody, and names are not") {
  CHECK(*db::look_up("127.0.0.1", Lookup::kNumeric) == std::vector<std::string>{"127.0.0.1"});
  CHECK(*db::look_up("::1", Lookup::kNumeric) == std::vector<std::string>{"::1"});
  CHECK_FALSE(db::look_up("localhost", Lookup::kNumeric));
  CHECK(db::look_up("localhost", Lookup::kName));
}

TEST_CASE("a name is looked up on another thread, anew for each connection") {
  RedisServer server;
  RedisRig rig({.endpoint = "localhost:" + std::to_string(server.port()), .longest_pause = 50ms});
  for (int round = 0; round < 2; ++round) {
    REQUIRE(turn_until(rig.reactor, [&] { return !rig.offload.waiting.empty(); }));
    CHECK_FALSE(rig.redis->connected());
    rig.offload.work();
    REQUIRE(rig.connect());
    CHECK(rig.offload.waiting.empty());
    server.kill();
    REQUIRE(turn_until(rig.reactor, [&] { return !rig.redis->connected(); }));
    server.start();
  }
}

TEST_CASE("a name that is not found is looked up again") {
  RedisRig rig({.endpoint = "no-such-host.invalid:6379", .longest_pause = 50ms});
  for (int round = 0; round < 3; ++round) {
    REQUIRE(turn_until(rig.reactor, [&] { return !rig.offload.waiting.empty(); }));
    CHECK(rig.offload.waiting.size() == 1);
    rig.offload.work();
    CHECK(rig.redis->trouble()->message.find("no-such-host.invalid: ") != std::string::npos);
  }
}

TEST_CASE("when no thread takes the look-up it is tried again later") {
  RedisServer server;
  RedisRig rig({.endpoint = "localhost:" + std::to_string(server.port()), .longest_pause = 50ms});
  rig.offload.room = 0;
  REQUIRE(turn_until(rig.reactor, [&] {
    return rig.redis->trouble()->message.find("too much is waiting") != std::string::npos;
  }));
  rig.offload.room = 1;
  REQUIRE(turn_until(rig.reactor, [&] { return !rig.offload.waiting.empty(); }));
  rig.offload.work();
  CHECK(rig.connect());
}

TEST_CASE("a client destroyed while its name is looked up is not touched by the answer") {
  RedisRig rig({.endpoint = "localhost:6379"});
  int told = 0;
  rig.redis->on_change([&](const std::optional<core::Error>&) { ++told; });
  REQUIRE(turn_until(rig.reactor, [&] { return !rig.offload.waiting.empty(); }));
  rig.redis.reset();
  rig.offload.work();
  for (int i = 0; i < 5; ++i) rig.reactor.turn(1ms);
  CHECK(told == 0);
}

}  // namespace redis_address_test
