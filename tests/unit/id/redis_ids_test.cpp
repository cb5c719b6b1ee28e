#include "id/stores/redis_ids.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/redis_rig.hpp"

namespace zerosuite::test::redis_ids_test {

using core::Result;
using id::stores::RedisIds;

constexpr std::int64_t kCounter = 0xffff'ffff;
constexpr std::int64_t kEpoch = 1'600'000'000;

struct IdsRig {
  RedisServer server;
  RedisRig client{{.endpoint = server.endpoint(), .longest_pause = 100ms}};
  id::stores::RedisStore store{*client.redis};
  RedisIds ids{*client.redis, store, 100};

  IdsRig() { REQUIRE(client.connect()); }

  Result<std::int64_t> next(RedisIds& from, const std::string& prefix, std::int64_t epoch = kEpoch) {
    std::optional<Result<std::int64_t>> answer;
    from.next(prefix, epoch, [&](Result<std::int64_t> id) { answer = std::move(id); });
    REQUIRE(client.settle());
    REQUIRE(answer.has_value());
    return *std::move(answer);
  }
  Result<std::int64_t> next(const std::string& prefix, std::int64_t epoch = kEpoch) {
    return next(ids, prefix, epoch);
  }
  std::int64_t second() { return std::stoll(client.ask({"TIME"})->at(0).text()); }
  void set_last(const std::string& prefix, std::int64_t seconds) {
    REQUIRE(client.ask({"SET", "icr:" + prefix + ":last", std::to_string(seconds)}));
  }
};

std::string day_key(const std::string& prefix, std::int64_t seconds) {
  const std::chrono::year_month_day day(
      std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds(std::chrono::seconds(seconds))));
  char text[16];
  std::snprintf(text, sizeof text, "%04d:%02u:%02u", int(day.year()), unsigned(day.month()),
                unsigned(day.day()));
  return "icr:" + prefix + ":" + text;
}

struct Ahead : IdsRig {
  Ahead() { set_last("order", ahead); }

  const std::int64_t ahead = second() + 1000;
};

TEST_CASE_FIXTURE(IdsRig, "an id is the second and the day's counter, which is kept for two days") {
  const std::int64_t before = second();
  const auto first = next("order");
  REQUIRE(first);
  const std::int64_t seconds = (*first >> 32) + kEpoch;
  CHECK(seconds >= before);
  CHECK(seconds <= second());
  CHECK((*first & kCounter) == 1);
  CHECK((*next("order") & kCounter) == 2);
  CHECK((*next("other") & kCounter) == 1);

  const std::string key = day_key("order", seconds);
  CHECK(client.ask({"GET", key})->text() == "2");
  const std::int64_t left = client.ask({"TTL", key})->integer();
  CHECK(left > 2 * 86'400 - 60);
  CHECK(left <= 2 * 86'400);
}

TEST_CASE_FIXTURE(IdsRig, "a day's counter goes on from what others have counted by INCR") {
  const std::int64_t now = second();
  for (const std::int64_t seconds : {now, now + 86'400})  // whichever day it is by then
    REQUIRE(client.ask({"INCRBY", day_key("order", seconds), "41"}));
  CHECK((*next("order") & kCounter) == 42);
}

TEST_CASE_FIXTURE(IdsRig, "days are named as the calendar does, over leap years and centuries") {
  // Ahead of every clock this runs by: 2050-01-01 and on, 2096-02-29, 2099-12-31, 2100-02-28 and the day
  // after it.
  for (const std::int64_t seconds : {2'524'608'000, 2'527'200'000, 3'981'312'000 + 86'399, 4'102'444'799,
                                     4'102'444'800, 4'107'455'999, 4'107'542'400 - 1, 4'107'542'400}) {
    const std::string prefix = "at " + std::to_string(seconds);
    set_last(prefix, seconds);
    const auto id = next(prefix, seconds);
    REQUIRE(id);
    CHECK(*id == 1);
    CHECK(client.ask({"GET", day_key(prefix, seconds)})->text() == "1");
  }
}

TEST_CASE_FIXTURE(Ahead, "the second does not fall when the server's clock does") {
  for (std::int64_t i = 1; i <= 3; ++i) CHECK(*next("order", 0) == (ahead << 32 | i));
}

TEST_CASE_FIXTURE(Ahead, "ids go on above the last one when Redis has lost everything") {
  REQUIRE(client.ask({"SET", day_key("order", ahead), "4000000000"}));
  CHECK(*next("order", 0) == (ahead << 32 | 4'000'000'001));
  REQUIRE(client.ask({"FLUSHALL"}));
  CHECK(*next("order", 0) == (ahead << 32 | 4'000'000'002));
  CHECK(*next("order", 0) == (ahead << 32 | 4'000'000'003));
  // And Redis itself knows it again, for others.
  RedisIds other(*client.redis, store, 100);
  CHECK(*next(other, "order", 0) == (ahead << 32 | 4'000'000'004));
}

TEST_CASE("ids asked for while Redis loses everything are ascending") {
  IdsRig rig;
  rig.set_last("order", rig.second() + 1000);
  std::vector<std::int64_t> ids;
  const auto note = [&ids](const Result<std::int64_t>& id) { ids.push_back(*id); };
  for (int i = 0; i < 20; ++i) {
    rig.ids.next("order", 0, note);
    if (i % 5 == 4) rig.client.redis->command({"FLUSHALL"}, [](const auto&) {});
  }
  REQUIRE(rig.client.settle());
  REQUIRE(ids.size() == 20);
  CHECK(std::ranges::adjacent_find(ids, std::greater_equal()) == ids.end());
}

TEST_CASE("two processes never get the same id") {
  IdsRig rig;
  RedisIds other(*rig.client.redis, rig.store, 100);
  std::vector<std::int64_t> ids;
  const auto note = [&ids](const Result<std::int64_t>& id) { ids.push_back(*id); };
  for (int i = 0; i < 500; ++i) (i % 2 == 0 ? rig.ids : other).next("order", kEpoch, note);
  REQUIRE(rig.client.settle());
  REQUIRE(ids.size() == 500);
  CHECK(std::ranges::adjacent_find(ids, std::greater_equal()) == ids.end());
}

TEST_CASE_FIXTURE(Ahead, "a counter that does not fit 32 bits spills into nothing") {
  REQUIRE(client.ask({"SET", day_key("order", ahead), std::to_string(kCounter - 1)}));
  CHECK(*next("order", 0) == (ahead << 32 | kCounter));
  for (int i = 0; i < 2; ++i) CHECK(next("order", 0).error().name == "RangeExhausted");
  CHECK(client.ask({"GET", day_key("order", ahead)})->text() == std::to_string(kCounter));
  set_last("order", ahead + 86'400);  // the next day
  CHECK(*next("order", 0) == ((ahead + 86'400) << 32 | 1));
}

TEST_CASE_FIXTURE(IdsRig, "seconds that do not fit 31 bits, or lie before the epoch, give no id") {
  constexpr std::int64_t kLast = std::numeric_limits<std::int32_t>::max();
  const std::int64_t ahead = second() + 1000;
  set_last("order", ahead);
  CHECK((*next("order", ahead - kLast) >> 32) == kLast);
  CHECK((*next("order", ahead) >> 32) == 0);
  for (const std::int64_t epoch : {ahead - kLast - 1, ahead + 1, std::numeric_limits<std::int64_t>::min(),
                                   std::numeric_limits<std::int64_t>::max()})
    CHECK(next("order", epoch).error().name == "TimeExhausted");
}

TEST_CASE_FIXTURE(IdsRig, "without a connection no id is made") {
  REQUIRE(next("order"));
  server.kill();
  REQUIRE(turn_until(client.reactor, [&] { return !client.redis->connected(); }));
  CHECK(next("order").error().name == "Unavailable");
}

}  // namespace zerosuite::test::redis_ids_test
