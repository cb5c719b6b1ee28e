#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/redis_rig.hpp"

namespace zerosuite::test::redis_hostile_test {

const db::RedisOptions kQuick{.connect_timeout = 5s, .command_timeout = 5s, .longest_pause = 100ms};

db::RedisOptions at_most(std::size_t bytes) {
  db::RedisOptions options = kQuick;
  options.max_reply_bytes = bytes;
  return options;
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

std::string bulk(std::size_t size) {
  return "$" + std::to_string(size) + "\r\n" + std::string(size, 'x') + "\r\n";
}

TEST_CASE("a reply that nobody waits for ends the connection, and the next one works") {
  for (const std::string_view unasked :
       {"+EXTRA\r\n", ":1\r\n", "$-1\r\n", "*0\r\n", "*1\r\n", "-ERR max clients\r\n",
        ">2\r\n+invalidate\r\n*0\r\n", "\r\n", "*3\r\n$7\r\nmessage\r\n"}) {
    CAPTURE(unasked);
    FakeRedisRig rig(master_that_says("+OK\r\n"), kQuick);
    REQUIRE(rig.client().connect());
    rig.say(unasked);
    REQUIRE(rig.in_trouble("it sent what nobody had asked for: \"" + db::printable(unasked) + "\""));
    REQUIRE(rig.client().connect());
    CHECK(rig.client().ask({"SET", "a", "b"})->text() == "OK");
    CHECK(rig.connections() == 2);
  }
}

TEST_CASE("a second reply behind the one that was asked for ends the connection, and the first one counts") {
  for (const std::string_view unasked : {"+EXTRA\r\n", "*", "$5\r\nab", "*-1\r\n", "-ERR more\r\n"}) {
    CAPTURE(unasked);
    FakeRedisRig rig(master_that_says("+OK\r\n" + std::string(unasked)), kQuick);
    REQUIRE(rig.client().connect());
    CHECK(rig.client().ask({"SET", "a", "b"})->text() == "OK");
    REQUIRE(rig.in_trouble("it sent what nobody had asked for"));
    CHECK(rig.client().connect());
  }
}

TEST_CASE("one who always says too much is dialed at longer and longer intervals") {
  FakeRedisRig rig([](std::string_view) { return "+PONG\r\n+EXTRA\r\n"; },
                   {.first_pause = 10ms, .longest_pause = 10s});
  REQUIRE(turn_until(rig.reactor(), [&] {
    const auto trouble = rig.redis().trouble();
    return trouble && std::stoi(trouble->text().substr(trouble->text().rfind(':') + 1)) >= 80;
  }));
  CHECK(rig.connections() <= 10);
}

TEST_CASE("what is no RESP2 ends the connection and leaves the command indeterminate") {
  for (const std::string_view odd :
       {"\xff\xfe\x00garbage\r\n", "$-5\r\n", "$abc\r\n", "$\r\n", "*-2\r\n", "*4611686018427387904\r\n",
        ":\r\n", ":12x\r\n", ":99999999999999999999\r\n", "%1\r\n+a\r\n+b\r\n", "_\r\n", "#t\r\n", ",1.5\r\n",
        "(1\r\n", "=5\r\ntxt:a\r\n", "~1\r\n:1\r\n", ">1\r\n+a\r\n", "*2\r\n:1\r\n%1\r\n",
        "*2\r\n$3\r\nabc\r\n$-7\r\n"}) {
    CAPTURE(odd);
    FakeRedisRig rig(master_that_says(std::string(odd)), kQuick);
    REQUIRE(rig.client().connect());
    CHECK(rig.client().ask({"GET", "a"}).error().name == "Indeterminate");
    CHECK(rig.client().connect());
  }
  FakeRedisRig deep(master_that_says(repeated("*1\r\n", 50) + ":1\r\n"), kQuick);
  REQUIRE(deep.client().connect());
  CHECK(deep.client().ask({"GET", "a"}).error().name == "Indeterminate");
}

TEST_CASE("a reply may take a stated amount of memory, whatever it is made of") {
  const std::string values = "*400\r\n" + repeated(":1\r\n", 400);
  for (const std::string& good : {bulk(60'000), values, "*2\r\n" + bulk(30'000) + bulk(30'000)}) {
    FakeRedisRig rig(master_that_says(good), at_most(65'536));
    REQUIRE(rig.client().connect());
    for (int i = 0; i < 3; ++i) CHECK(rig.client().ask({"GET", "a"}));
    CHECK(rig.connections() == 1);
  }
  for (const std::string& big :
       {bulk(66'000), std::string("$9223372036854775807\r\n") + std::string(70'000, 'x'),
        "*600\r\n" + repeated(":1\r\n", 600), "*600\r\n" + repeated("*-1\r\n", 600),
        std::string("*2147483647\r\n"), std::string("*2\r\n:1\r\n*2147483647\r\n"), repeated("*8000\r\n", 7),
        "*3\r\n" + repeated(bulk(30'000), 3), "+" + std::string(70'000, 'x'),
        ":" + std::string(70'000, '1')}) {
    CAPTURE(big.substr(0, 30));
    FakeRedisRig rig(master_that_says(big), at_most(65'536));
    REQUIRE(rig.client().connect());
    CHECK(rig.client().ask({"GET", "a"}).error().name == "Indeterminate");
    CHECK(rig.in_trouble("a reply takes more than 65536 bytes"));
    CHECK(rig.client().connect());
  }
}

TEST_CASE("whatever bytes a server sends, the client goes on") {
  std::mt19937 random(20);
  static constexpr std::string_view kPieces[] = {"*2\r\n",  "$3\r\n",     "abc\r\n",       ":1\r\n",
                                                 "+OK\r\n", "-ERR x\r\n", "*-1\r\n",       "$-1\r\n",
                                                 "*0\r\n",  "\r\n",       "-READONLY\r\n", "\xff"};
  const auto bytes = [&random] {
    std::string all;
    for (auto left = random() % 6; left > 0; --left) all += kPieces[random() % std::size(kPieces)];
    return all;
  };
  for (int round = 0; round < 25; ++round) {
    FakeRedisRig rig(
        [&](std::string_view command) { return master_that_says(bytes())(command); },
        {.connect_timeout = 20ms, .command_timeout = 20ms, .first_pause = 1ms, .longest_pause = 1ms});
    for (int i = 0; i < 10; ++i) {
      REQUIRE(rig.client().connect());
      (void)rig.client().ask({"GET", "a"});
    }
  }
}

TEST_CASE("what an error reply says is printable, and not long, when it comes to others") {
  FakeRedisRig rig(master_that_says("-ERR \x1b[31mevil\x07\xff " + std::string(500, 'x') + "\r\n"), kQuick);
  REQUIRE(rig.client().connect());
  const auto error = rig.client().ask({"GET", "a"}).error();
  CHECK(error.name == "InternalError");
  CHECK(error.text().starts_with("Redis: ERR ?[31mevil?? xxx"));
  CHECK(error.text().size() < 250);
}

}  // namespace zerosuite::test::redis_hostile_test
