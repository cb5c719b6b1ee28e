#include "db/redis.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "support/redis_rig.hpp"

namespace zerosuite::test::redis_test {

using core::Result;
using db::RedisReply;

using Words = std::vector<std::string>;

std::int64_t calls_of(RedisRig& rig, const std::string& command) {
  const std::string stats = rig.ask({"INFO", "commandstats"})->text();
  const std::size_t at = stats.find("cmdstat_" + command + ":calls=");
  return at == stats.npos ? 0 : std::stoll(stats.substr(stats.find('=', at) + 1));
}

Result<RedisReply> eval(RedisRig& rig, const std::string& script, const Words& keys = {},
                        const Words& arguments = {}) {
  std::optional<Result<RedisReply>> answer;
  rig.redis->eval(script, keys, arguments,
                  [&answer](Result<RedisReply> reply) { answer = std::move(reply); });
  REQUIRE(turn_until(rig.reactor, [&] { return answer.has_value(); }));
  return *std::move(answer);
}

TEST_CASE_FIXTURE(ConnectedRig, "each kind of reply becomes the value that it is") {
  CHECK(rig.ask({"SET", "key", "value"})->text() == "OK");
  CHECK(rig.ask({"GET", "key"})->text() == "value");
  CHECK(rig.ask({"GET", "nothing"})->is_nil());
  CHECK(rig.ask({"INCRBY", "count", "9223372036854775807"})->integer() ==
        std::numeric_limits<std::int64_t>::max());
  CHECK(rig.ask({"RPUSH", "list", "a", "b"})->integer() == 2);

  const auto list = rig.ask({"EVAL", "return {1, 'two', {3, false}, {}}", "0"});
  REQUIRE(list);
  CHECK(list->list().size() == 4);
  CHECK(list->at(0).integer() == 1);
  CHECK(list->at(1).text() == "two");
  CHECK(list->at(2).at(0).integer() == 3);
  CHECK(list->at(2).at(1).is_nil());
  CHECK(list->at(3).list().empty());
}

TEST_CASE_FIXTURE(ConnectedRig, "keys and values may hold any bytes and be long") {
  std::string value(5'000'000, 'x');
  for (std::size_t i = 0; i < 256; ++i) value[i] = static_cast<char>(i);

  REQUIRE(rig.ask({"SET", std::string("a\0b\r\n", 5), value}));
  CHECK(rig.ask({"GET", std::string("a\0b\r\n", 5)})->text() == value);
  CHECK(rig.ask({"SET", "empty", ""})->text() == "OK");
  CHECK(rig.ask({"GET", "empty"})->text().empty());
}

TEST_CASE_FIXTURE(ConnectedRig,
                  "an error reply is an error with the server's words, and the connection goes on") {
  REQUIRE(rig.ask({"SET", "text", "a"}));
  const auto wrong = rig.ask({"INCR", "text"});
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().name == "InternalError");
  CHECK(wrong.error().text() == "Redis: ERR value is not an integer or out of range");

  CHECK(rig.ask({"CONFIG", "SET", "min-replicas-to-write", "1"}));
  CHECK(rig.ask({"SET", "text", "b"}).error().name == "Unavailable");
  CHECK(rig.ask({"CONFIG", "SET", "min-replicas-to-write", "0"}));
  CHECK(rig.ask({"CONFIG", "SET", "maxmemory", "1"}));
  CHECK(rig.ask({"SET", "text", "b"}).error().name == "StorageError");
  CHECK(rig.ask({"CONFIG", "SET", "maxmemory", "0"}));
  CHECK(rig.ask({"GET", "text"})->text() == "a");
}

TEST_CASE("ten thousand commands at once are answered each with its own reply, in order") {
  RedisServer server;
  RedisRig rig({.endpoint = server.endpoint(), .command_timeout = 20s});
  REQUIRE(rig.connect());
  std::vector<std::string> echoes;
  for (int i = 0; i < 10'000; ++i)
    rig.redis->command({"ECHO", std::to_string(i)}, [&echoes](const Result<RedisReply>& reply) {
      echoes.push_back(reply ? reply->text() : reply.error().text());
    });
  CHECK_FALSE(rig.redis->idle());
  REQUIRE(rig.settle());
  REQUIRE(echoes.size() == 10'000);
  for (std::size_t i = 0; i < echoes.size(); ++i) REQUIRE(echoes[i] == std::to_string(i));
}

TEST_CASE("a callback may ask for more") {
  RedisServer server;
  RedisRig rig({.endpoint = server.unix_endpoint()});
  REQUIRE(rig.connect());
  std::vector<std::int64_t> counts;
  const auto count = [&counts](const Result<RedisReply>& reply) { counts.push_back(reply->integer()); };
  rig.redis->command({"INCR", "n"}, [&](const Result<RedisReply>& reply) {
    count(reply);
    rig.redis->command({"INCR", "n"}, count);
  });
  rig.redis->command({"INCR", "n"}, count);
  REQUIRE(rig.settle());
  CHECK(counts == std::vector<std::int64_t>{1, 2, 3});
}

TEST_CASE_FIXTURE(ConnectedRig, "a script is sent once and run by its hash from then on") {
  const std::string script = "return {KEYS[1], ARGV[1], ARGV[2]}";
  for (int i = 0; i < 5; ++i) {
    const auto reply = eval(rig, script, {"k"}, {"a", std::to_string(i)});
    REQUIRE(reply);
    CHECK(*reply ==
          RedisReply(RedisReply::List{RedisReply("k"), RedisReply("a"), RedisReply(std::to_string(i))}));
  }
  CHECK(calls_of(rig, "eval") == 1);
  CHECK(calls_of(rig, "evalsha") == 4);
}

TEST_CASE_FIXTURE(ConnectedRig,
                  "a script that the server has forgotten is sent again, and known from then on") {
  const std::string script = "return redis.call('INCR', KEYS[1])";
  CHECK(eval(rig, script, {"n"})->integer() == 1);
  CHECK(eval(rig, script, {"n"})->integer() == 2);
  REQUIRE(rig.ask({"SCRIPT", "FLUSH"}));
  CHECK(eval(rig, script, {"n"})->integer() == 3);
  CHECK(eval(rig, script, {"n"})->integer() == 4);
  CHECK(calls_of(rig, "eval") == 2);
}

TEST_CASE_FIXTURE(ConnectedRig, "an error inside a script is told, and not taken for a forgotten script") {
  const std::string script = "return redis.error_reply('NOSCRIPTS at all')";
  for (int i = 0; i < 3; ++i) CHECK(eval(rig, script).error().text() == "Redis: NOSCRIPTS at all");
  CHECK(calls_of(rig, "eval") == 1);
  CHECK(eval(rig, "this is not Lua").error().name == "InternalError");
  CHECK(eval(rig, "this is not Lua").error().name == "InternalError");
}

TEST_CASE_FIXTURE(ConnectedRig, "an error inside a list is the error of the whole") {
  const auto reply = rig.ask({"EVAL", "return {1, {redis.error_reply('OOM of a kind')}}", "0"});
  REQUIRE_FALSE(reply);
  CHECK(reply.error().name == "StorageError");
}

TEST_CASE("with its password a client is let in") {
  RedisServer server({.more = {"--requirepass", "open sesame"}});
  RedisRig rig({.endpoint = server.endpoint(), .password = core::secret_text("open sesame")});
  REQUIRE(rig.connect());
  CHECK(rig.ask({"SET", "key", "value"}));
}

TEST_CASE("a client with a wrong password, or none, is not connected and says why") {
  RedisServer server({.more = {"--requirepass", "open sesame"}});
  for (const char* password : {"", "open barley"}) {
    RedisRig rig({.endpoint = server.endpoint(), .password = core::secret_text(password)});
    const std::string why = *password == '\0' ? "NOAUTH" : "WRONGPASS";
    CHECK(
        turn_until(rig.reactor, [&] { return rig.redis->trouble()->text().find(why) != std::string::npos; }));
    CHECK_FALSE(rig.redis->connected());
    CHECK(rig.ask({"GET", "key"}).error().name == "Unavailable");
  }
}

}  // namespace zerosuite::test::redis_test
