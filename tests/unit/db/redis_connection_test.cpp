#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/random.hpp"
#include "db/redis.hpp"
#include "support/redis_rig.hpp"

namespace zerosuite::test::redis_connection_test {

using core::Result;
using db::RedisReply;

// Errors by name, values as they are.
struct Told {
  std::vector<std::string> words;

  core::Done<RedisReply> next() {
    return [this](const Result<RedisReply>& reply) {
      words.push_back(!reply ? reply.error().name : reply->is_text() ? reply->text() : "?");
    };
  }
};

db::RedisOptions impatient(const std::string& endpoint) {
  return {.endpoint = endpoint, .connect_timeout = 150ms, .command_timeout = 150ms, .longest_pause = 100ms};
}

TEST_CASE("without a connection a command is refused with the next turn, with the time to wait") {
  RedisServer server({}, RedisServer::Start::kLater);
  RedisRig rig({.endpoint = server.endpoint()});
  std::optional<core::Error> error;
  rig.redis->command({"SET", "a", "b"}, [&](const Result<RedisReply>& reply) { error = reply.error(); });
  CHECK_FALSE(error);
  CHECK_FALSE(rig.redis->idle());
  rig.reactor.turn(10ms);
  REQUIRE(error);
  CHECK(error->name == "Unavailable");
  CHECK(error->text() == "Redis at " + server.endpoint() + ": not connected yet {\"retry_after_ms\":50}");
  error.reset();
  rig.redis->eval("return 1", {}, {}, [&](const Result<RedisReply>& reply) { error = reply.error(); });
  CHECK_FALSE(error);
  rig.reactor.turn(10ms);
  REQUIRE(error);
  CHECK(error->name == "Unavailable");
}

TEST_CASE("a server that is not there at the start is found when it comes, and each change is told once") {
  for (const bool local : {false, true}) {
    RedisServer server({}, RedisServer::Start::kLater);
    RedisRig rig(impatient(local ? server.unix_endpoint() : server.endpoint()));
    std::vector<std::string> told;
    rig.redis->on_change([&](const std::optional<core::Error>& trouble) {
      told.push_back(trouble ? trouble->message : "connected");
      CHECK(rig.redis->connected() == !trouble);
    });
    const auto end = core::Clock::now() + 400ms;  // several attempts
    REQUIRE(turn_until(rig.reactor, [&] { return core::Clock::now() > end; }));
    server.start();
    REQUIRE(rig.connect());
    REQUIRE(told.size() == 2);
    CHECK(told[0] == "Redis at " + rig.redis->options().endpoint + ": " +
                         (local ? "No such file or directory" : "Connection refused"));
    CHECK(told[1] == "connected");
    CHECK(rig.ask({"PING"})->text() == "PONG");
  }
}

TEST_CASE(
    "a server killed in the middle leaves commands indeterminate and is found again after its restart") {
  RedisServer server({.appendonly = true});
  RedisRig rig({.endpoint = server.endpoint(), .longest_pause = 100ms});
  REQUIRE(rig.connect());
  REQUIRE(rig.ask({"SET", "kept", "yes"}));
  server.freeze();
  Told told;
  for (int i = 0; i < 3; ++i) rig.redis->command({"ECHO", "x"}, told.next());
  rig.reactor.turn(0ms);  // sent
  server.kill();
  REQUIRE(turn_until(rig.reactor, [&] { return told.words.size() == 3; }));
  CHECK(told.words == std::vector<std::string>(3, "Indeterminate"));
  CHECK_FALSE(rig.redis->connected());
  CHECK(rig.ask({"GET", "kept"}).error().name == "Unavailable");

  server.start();
  REQUIRE(rig.connect());
  CHECK(rig.ask({"GET", "kept"})->text() == "yes");
}

TEST_CASE_FIXTURE(ConnectedRig,
                  "what broke is told before those who waited are, and a new connection only later") {
  std::string order;
  rig.redis->on_change(
      [&](const std::optional<core::Error>& trouble) { order += trouble ? "lost " : "back "; });
  server.freeze();
  rig.redis->command({"PING"}, [&](const Result<RedisReply>&) {
    order += "told ";
    rig.redis->command({"PING"}, [&](const Result<RedisReply>& reply) { order += reply.error().name + " "; });
  });
  rig.reactor.turn(0ms);
  server.kill();
  server.start();
  REQUIRE(
      turn_until(rig.reactor, [&] { return order.find("told") != order.npos && rig.redis->connected(); }));
  CHECK(order == "lost told Unavailable back ");
}

TEST_CASE("a command that is not answered in time ends the connection, and no reply is taken for another's") {
  RedisServer server;
  RedisRig rig(impatient(server.endpoint()));
  REQUIRE(rig.connect());
  server.freeze();
  Told told;
  const auto start = core::Clock::now();
  rig.redis->command({"ECHO", "early"}, told.next());
  rig.redis->command({"ECHO", "late"}, told.next());
  REQUIRE(turn_until(rig.reactor, [&] { return told.words.size() == 2; }));
  CHECK(core::Clock::now() - start >= 150ms);
  CHECK(told.words == std::vector<std::string>(2, "Indeterminate"));
  CHECK(rig.redis->trouble()->text().find("no answer within 150 ms") != std::string::npos);

  server.thaw();
  REQUIRE(rig.connect());
  CHECK(rig.ask({"ECHO", "new"})->text() == "new");
}

TEST_CASE("answers in time keep a connection, however many commands follow each other") {
  RedisServer server;
  RedisRig rig(impatient(server.endpoint()));
  REQUIRE(rig.connect());
  int changes = 0;
  rig.redis->on_change([&](const std::optional<core::Error>&) { ++changes; });
  const auto end = core::Clock::now() + 500ms;  // more than three timeouts
  while (core::Clock::now() < end) REQUIRE(rig.ask({"PING"}));
  CHECK(changes == 0);
}

TEST_CASE("a server that takes connections but does not answer is not connected to") {
  RedisServer server;
  server.freeze();
  RedisRig rig(impatient(server.endpoint()));
  REQUIRE(turn_until(rig.reactor, [&] {
    return rig.redis->trouble()->text().find("no answer within") != std::string::npos;
  }));
  CHECK_FALSE(rig.redis->connected());
  server.thaw();
  CHECK(rig.connect());
}

TEST_CASE("before the server has answered for the first time commands are refused") {
  RedisServer server;
  server.freeze();
  RedisRig rig({.endpoint = server.endpoint(), .connect_timeout = 20s});
  for (int i = 0; i < 5; ++i) rig.reactor.turn(10ms);  // connected, as far as the kernel knows
  Told told;
  rig.redis->command({"PING"}, told.next());
  rig.reactor.turn(10ms);
  CHECK(told.words == std::vector<std::string>{"Unavailable"});
  server.thaw();
  CHECK(rig.connect());
}

TEST_CASE("a host that does not answer to a connection is given up, and tried again") {
  const DeafPort port;
  RedisRig rig(impatient("127.0.0.1:" + std::to_string(port.number())));
  REQUIRE(turn_until(rig.reactor, [&] {
    return rig.redis->trouble()->text().find("no answer within 150 ms") != std::string::npos;
  }));
}

TEST_CASE("without a descriptor to spare the server is not there, and found when there is one again") {
  RedisServer server;
  RedisRig rig(impatient(server.endpoint()));
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const int first_free = ::dup(STDERR_FILENO);
  ::close(first_free);
  const rlimit none{static_cast<rlim_t>(first_free), before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &none);
  CHECK(turn_until(rig.reactor, [&] {
    return rig.redis->trouble()->text().find("Too many open files") != std::string::npos;
  }));
  ::setrlimit(RLIMIT_NOFILE, &before);
  CHECK(rig.connect());
}

TEST_CASE("attempts come at longer and longer intervals, until one succeeds") {
  RedisServer server({}, RedisServer::Start::kLater);
  RedisRig rig({.endpoint = server.endpoint(), .first_pause = 10ms, .longest_pause = 400ms});
  const auto retry_after = [](const core::Error& trouble) {
    return std::stoi(trouble.text().substr(trouble.text().rfind(':') + 1));
  };
  REQUIRE(turn_until(rig.reactor, [&] { return retry_after(*rig.redis->trouble()) >= 80; }));
  server.start();
  REQUIRE(rig.connect());
  std::optional<core::Error> lost;
  rig.redis->on_change([&](const std::optional<core::Error>& trouble) { lost = trouble; });
  SUBCASE("for as long as the longest of them: then they are short again") {
    const auto end = core::Clock::now() + 420ms;
    REQUIRE(turn_until(rig.reactor, [&] { return core::Clock::now() > end; }));
    server.kill();
    REQUIRE(turn_until(rig.reactor, [&] { return lost.has_value(); }));
    CHECK(retry_after(*lost) == 10);
  }
  SUBCASE("and is of no use for long") {
    server.kill();
    REQUIRE(turn_until(rig.reactor, [&] { return lost.has_value(); }));
    CHECK(retry_after(*lost) >= 80);
  }
}

TEST_CASE("a server that has become a replica is left, and found when it is a master again") {
  RedisServer server;
  RedisServer other;
  RedisRig rig({.endpoint = server.endpoint(), .longest_pause = 50ms});
  REQUIRE(rig.connect());
  std::vector<std::string> told;
  rig.redis->on_change([&](const std::optional<core::Error>& trouble) {
    told.push_back(trouble ? trouble->message : "connected");
  });
  RedisRig operating({.endpoint = server.endpoint()});
  REQUIRE(operating.connect());
  REQUIRE(operating.ask({"REPLICAOF", "127.0.0.1", std::to_string(other.port())}));
  std::optional<core::Error> refused;
  Told behind;
  rig.redis->eval("return redis.call('SET', KEYS[1], 1)", {"a"}, {},
                  [&](const Result<RedisReply>& reply) { refused = reply.error(); });
  rig.redis->command({"ECHO", "behind it"}, behind.next());
  REQUIRE(turn_until(rig.reactor, [&] { return behind.words.size() == 1; }));
  REQUIRE(refused);
  CHECK(refused->name == "Unavailable");
  CHECK(refused->text().find("READONLY") != std::string::npos);
  CHECK(refused->text().ends_with("{\"retry_after_ms\":200}"));
  CHECK(behind.words == std::vector<std::string>{"behind it"});
  CHECK(rig.ask({"ECHO", "too late"}).error().name == "Unavailable");
  REQUIRE(turn_until(rig.reactor, [&] {
    return !told.empty() && told.back() == "Redis at " + server.endpoint() + ": it is a replica";
  }));
  CHECK(told.front().find("READONLY") != std::string::npos);

  REQUIRE(operating.ask({"REPLICAOF", "NO", "ONE"}));
  REQUIRE(rig.connect());
  CHECK(told.back() == "connected");
  CHECK(std::ranges::count(told, "connected") == 1);
  CHECK(rig.ask({"SET", "a", "b"})->text() == "OK");
}

TEST_CASE("a replica is not connected to, since nothing could be kept there") {
  RedisServer master;
  RedisServer replica({.more = {"--replicaof", "127.0.0.1", std::to_string(master.port())}});
  RedisRig rig(impatient(replica.endpoint()));
  REQUIRE(turn_until(rig.reactor, [&] {
    return rig.redis->trouble()->text().find("it is a replica") != std::string::npos;
  }));
  CHECK_FALSE(rig.redis->connected());
}

TEST_CASE("a server that loads its data, or has lost its master, is left until it can be written to") {
  for (const std::string code : {"LOADING", "MASTERDOWN"}) {
    bool ready = true;
    FakeRedisRig rig(
        [&](std::string_view command) {
          return ready ? master_that_says("+OK\r\n")(command) : "-" + code + " not now\r\n";
        },
        {.longest_pause = 50ms});
    REQUIRE(rig.client().connect());
    ready = false;
    CHECK(rig.client().ask({"SET", "a", "b"}).error().name == "Unavailable");
    REQUIRE(rig.in_trouble(code));
    const std::size_t before = rig.connections();
    REQUIRE(turn_until(rig.reactor(), [&] { return rig.connections() > before + 2; }));
    ready = true;
    REQUIRE(rig.client().connect());
    CHECK(rig.client().ask({"SET", "a", "b"})->text() == "OK");
  }
}

TEST_CASE("a server that is busy, or short of replicas, is kept: another is not the better one") {
  for (const std::string code : {"BUSY", "NOREPLICAS", "CLUSTERDOWN"}) {
    FakeRedisRig rig(master_that_says("-" + code + " not now\r\n"), {.longest_pause = 50ms});
    REQUIRE(rig.client().connect());
    for (int i = 0; i < 3; ++i) CHECK(rig.client().ask({"SET", "a", "b"}).error().name == "Unavailable");
    CHECK(rig.connections() == 1);
  }
}

TEST_CASE("one who may not ask for the role of a server is connected all the same") {
  FakeRedisRig rig([](std::string_view command) {
    return command.find("PING") != command.npos ? "+PONG\r\n" : "-NOPERM no permissions to run 'role'\r\n";
  });
  CHECK(rig.client().connect());
}

TEST_CASE_FIXTURE(
    ConnectedRig,
    "a server that cannot save is connected to, since it still answers what need not be saved") {
  REQUIRE(rig.ask({"SET", "kept", "yes"}));
  std::filesystem::create_directory(server.folder() / "dump.rdb");  // where a file should be put
  REQUIRE(rig.ask({"CONFIG", "SET", "save", "3600 1"}));
  REQUIRE(rig.ask({"BGSAVE"}));
  REQUIRE(turn_until(rig.reactor, [&] {
    return rig.ask({"INFO", "persistence"})->text().find("rdb_last_bgsave_status:err") != std::string::npos;
  }));
  RedisRig other({.endpoint = server.endpoint()});
  REQUIRE(other.connect());
  CHECK(other.ask({"GET", "kept"})->text() == "yes");
  CHECK(other.ask({"SET", "kept", "no"}).error().name == "StorageError");
}

TEST_CASE("scripts are known again after a restart that lost them") {
  RedisServer server;
  RedisRig rig({.endpoint = server.endpoint(), .longest_pause = 100ms});
  for (int round = 0; round < 2; ++round) {
    REQUIRE(rig.connect());
    for (int i = 0; i < 2; ++i) {
      std::optional<Result<RedisReply>> answer;
      rig.redis->eval("return 7", {}, {}, [&](const Result<RedisReply>& reply) { answer = reply; });
      REQUIRE(turn_until(rig.reactor, [&] { return answer.has_value(); }));
      REQUIRE(*answer);
      CHECK((*answer)->integer() == 7);
    }
    server.kill();
    server.start();
    REQUIRE(turn_until(rig.reactor, [&] { return !rig.redis->connected(); }));
  }
}

TEST_CASE("pauses double up to the longest and are drawn from their upper half") {
  const db::RedisOptions options{.endpoint = "", .first_pause = 50ms, .longest_pause = 2000ms};
  const core::milliseconds full[] = {50ms, 100ms, 200ms, 400ms, 800ms, 1600ms, 2000ms, 2000ms};
  for (std::uint32_t failures = 1; failures <= std::size(full); ++failures) {
    const auto pause = full[failures - 1];
    auto least = pause;
    auto most = 0ms;
    for (int i = 0; i < 2000; ++i) {
      const auto drawn = db::pause_after(failures, options, core::random_bits());
      least = std::min(least, drawn);
      most = std::max(most, drawn);
    }
    CHECK(least >= pause / 2);
    CHECK(least < pause * 6 / 10);
    CHECK(most <= pause);
    CHECK(most > pause * 9 / 10);
  }
  CHECK(db::pause_after(4'000'000'000u, options, 0) == 2000ms);
}

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

}  // namespace zerosuite::test::redis_connection_test
