#include <doctest/doctest.h>

#include <memory>
#include <optional>

#include "db/redis.hpp"
#include "support/redis_rig.hpp"
#include "support/redis_server.hpp"

namespace zerosuite::test::redis_destroyed_test {

using namespace std::chrono_literals;
using core::Result;
using db::RedisReply;

TEST_CASE("a client destroyed in any of its callbacks calls nothing any more") {
  RedisServer server;
  int calls = 0;
  SUBCASE("the answer to a command") {
    RedisRig rig({.endpoint = server.endpoint()});
    REQUIRE(rig.connect());
    for (int i = 0; i < 10; ++i)
      rig.redis->command({"PING"}, [&](const Result<RedisReply>&) {
        ++calls;
        rig.redis.reset();
      });
    REQUIRE(turn_until(rig.reactor, [&] { return calls > 0; }));
    for (int i = 0; i < 5; ++i) rig.reactor.turn(1ms);
  }
  SUBCASE("the end of a connection") {
    RedisRig rig({.endpoint = server.endpoint()});
    REQUIRE(rig.connect());
    server.freeze();
    for (int i = 0; i < 10; ++i)
      rig.redis->command({"PING"}, [&](const Result<RedisReply>& reply) {
        CHECK(reply.error().name == "Indeterminate");
        ++calls;
        rig.redis.reset();
      });
    rig.reactor.turn(0ms);
    server.kill();
    REQUIRE(turn_until(rig.reactor, [&] { return calls > 0; }));
    for (int i = 0; i < 5; ++i) rig.reactor.turn(1ms);
  }
  SUBCASE("the timeout of a command") {
    RedisRig rig({.endpoint = server.endpoint(), .command_timeout = 150ms});
    REQUIRE(rig.connect());
    server.freeze();
    for (int i = 0; i < 10; ++i)
      rig.redis->command({"PING"}, [&](const Result<RedisReply>&) {
        ++calls;
        rig.redis.reset();
      });
    REQUIRE(turn_until(rig.reactor, [&] { return calls > 0; }));
  }
  SUBCASE("what is told of the connection") {
    for (const bool lost : {false, true}) {
      calls = 0;
      RedisRig rig({.endpoint = server.endpoint()});
      if (lost) REQUIRE(rig.connect());
      if (lost) rig.redis->command({"DEBUG", "SLEEP", "5"}, [&](const Result<RedisReply>&) { ++calls; });
      const auto witness = std::make_shared<int>(1);
      rig.redis->on_change([&, mine = witness](const std::optional<core::Error>&) {
        ++calls;
        rig.redis.reset();
        CHECK(witness.use_count() > 1);  // what runs is still there
      });
      rig.reactor.turn(0ms);
      if (lost) server.kill();
      REQUIRE(turn_until(rig.reactor, [&] { return calls > 0; }));
      CHECK(calls == 1);
    }
  }
  CHECK(calls == 1);
}

TEST_CASE("a client destroyed with commands on their way leaves nothing behind") {
  RedisServer server;
  auto witness = std::make_shared<int>(0);
  {
    RedisRig rig({.endpoint = server.endpoint()});
    REQUIRE(rig.connect());
    for (int i = 0; i < 10; ++i)
      rig.redis->command({"PING"}, [witness](const Result<RedisReply>&) { ++*witness; });
    rig.reactor.turn(0ms);
    rig.redis.reset();
    for (int i = 0; i < 5; ++i) rig.reactor.turn(1ms);
  }
  CHECK(*witness == 0);
  CHECK(witness.use_count() == 1);
}

}  // namespace zerosuite::test::redis_destroyed_test
