#include "id/stores/redis_store.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "support/store_rigs.hpp"

namespace zerosuite::test::redis_store_test {

using core::Result;
using id::Claim;
using id::Key;
using id::Lease;
using id::Reserved;
using id::ReserveRequest;
using id::Tag;
using id::stores::RedisStore;

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kTwo53 = std::int64_t{1} << 53;

TEST_CASE_FIXTURE(RedisStoreRig,
                  "values beyond what a double can count are exact up to the last of 64 bits") {
  for (const std::int64_t floor : {kTwo53 - 1, kTwo53, kTwo53 + 1, 4 * kTwo53 + 3, std::int64_t{999'999'999},
                                   std::int64_t{1'000'000'000}, std::int64_t{1'999'999'998},
                                   std::int64_t{4'999'999'999'999'999'997}, kMost - 1000}) {
    const ReserveRequest ask{.key = counter("from " + std::to_string(floor)), .count = 7, .floor = floor};
    CHECK(reserve(ask)->range == id::Range{floor, floor + 7});
    const auto next = reserve(ask);
    CHECK(next->range == id::Range{floor + 7, floor + 14});
    CHECK(next->stored == floor + 7);
  }
  const ReserveRequest rest{.key = counter("from " + std::to_string(kMost - 1000)), .count = 5000};
  CHECK(reserve(rest)->range == id::Range{kMost - 986, kMost});
  const auto over = reserve(rest);
  REQUIRE_FALSE(over);
  CHECK(over.error().name == "RangeExhausted");
  CHECK(over.error().text().find("\"max\":9223372036854775806") != std::string::npos);
}

TEST_CASE_FIXTURE(RedisStoreRig,
                  "the largest count there is takes what is left, and one value is counted as exactly") {
  CHECK(reserve({.key = counter("all"), .count = kMost, .floor = kMost / 2})->range ==
        id::Range{kMost / 2, kMost});
  for (std::int64_t i = 0; i < 300; ++i)
    CHECK(reserve({.key = counter("by one"), .floor = kTwo53 + 1})->range.lo == kTwo53 + 1 + i);
}

TEST_CASE_FIXTURE(RedisStoreRig, "a tag near the end of 64 bits comes to its own last value") {
  REQUIRE(create_tag({.name = "t", .next = kMost - 10, .max = kMost - 4}));
  const auto first = reserve({.key = tag_key("t"), .count = 100});
  REQUIRE(first);
  CHECK(first->range == id::Range{kMost - 10, kMost - 3});
  CHECK(first->tag->next == kMost - 3);
  CHECK(name_of(reserve({.key = tag_key("t")})) == "RangeExhausted");

  REQUIRE(create_tag({.name = "whole", .next = kMost - 2, .max = kMost}));
  CHECK(reserve({.key = tag_key("whole"), .count = 100})->range == id::Range{kMost - 2, kMost});
}

TEST_CASE_FIXTURE(RedisStoreRig, "a tag does not fall below its floor by what is given back") {
  const Key key = tag_key("t");
  REQUIRE(create_tag(tag_of("t")));
  REQUIRE(reserve({.key = key, .count = 100}));
  REQUIRE(update_tag("t", {.floor = 50}));
  CHECK_FALSE(*give_back(key, {49, 101}));
  CHECK(*give_back(key, {50, 101}));
}

TEST_CASE_FIXTURE(RedisStoreRig, "leases run by the server's clock, for as long as they say") {
  const Claim mine{.worker = 3, .owner = "me", .ttl = 80ms};
  const auto start = core::Clock::now();
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  const auto lease = claim(mine);
  REQUIRE(lease);
  CHECK(std::abs(*lease->store_ms - wall / 1ms) < 5000);
  const Claim other{.worker = 3, .owner = "other", .ttl = 80ms};
  const auto refused = claim(other);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().name == "WorkerIdInUse");
  CHECK(refused.error().text().find("\"owner\":\"me\"") != std::string::npos);
  REQUIRE(renew(mine, *lease));
  const auto renewed = core::Clock::now();

  std::optional<Result<Lease>> taken;
  while (!taken || !*taken) taken = claim(other);  // each try is a round trip
  CHECK(core::Clock::now() - start >= 79ms);       // counted in whole ms
  CHECK(core::Clock::now() - renewed < 10s);
  CHECK((*taken)->epoch == lease->epoch + 1);
  CHECK((*taken)->taken_over);
  CHECK(name_of(renew(mine, *lease)) == "LeaseLost");
}

TEST_CASE_FIXTURE(RedisStoreRig, "an owner whose lease has passed gets the lowest worker id that is free") {
  REQUIRE(claim(claim_by("me", 1)));
  CHECK(claim(claim_by("me"))->worker == 1);
  pass(15s);
  CHECK(claim(claim_by("me"))->worker == 0);
}

TEST_CASE_FIXTURE(RedisStoreRig, "an owner's name may hold blanks and line ends") {
  const Claim mine{.worker = 1, .owner = "a b\n3 4 c"};
  const auto lease = claim(mine);
  CHECK(renew(mine, *lease));
  CHECK(name_of(renew({.worker = 1, .owner = "c"}, *lease)) == "LeaseLost");
  CHECK(claim({.worker = 1, .owner = "x"}).error().text().find("a b\\u000a3 4 c") != std::string::npos);
}

TEST_CASE_FIXTURE(RedisStoreRig, "two prefixes share nothing") {
  RedisStoreRig two;
  CHECK(reserve({.key = counter("c")})->range.lo == 1);
  CHECK(two.reserve({.key = counter("c")})->range.lo == 1);
  REQUIRE(create_tag(tag_of("t")));
  CHECK(name_of(two.reserve({.key = tag_key("t")})) == "NoSuchTag");
}

TEST_CASE_FIXTURE(RedisStoreRig, "what somebody else wrote where a number should be is an error, and stays") {
  for (const char* wrong : {"many", "-5", "1.5", ""}) {
    REQUIRE(client.ask({"SET", prefix + "counter:c", wrong}));
    CHECK(name_of(reserve({.key = counter("c")})) == "InternalError");
    CHECK(client.ask({"GET", prefix + "counter:c"})->text() == wrong);
  }
  REQUIRE(create_tag(tag_of("t")));
  REQUIRE(client.ask({"HSET", prefix + "definition:t", "step", "99999999999999999999"}));
  CHECK(name_of(reserve({.key = tag_key("t")})) == "StorageError");
}

TEST_CASE("what was reserved is kept over a crash of the server") {
  RedisServer server({.appendonly = true});
  RedisStoreRig rig(server);
  CHECK(rig.reserve({.key = counter("c"), .count = 10})->range.lo == 1);
  server.kill();
  REQUIRE(turn_until(rig.client.reactor, [&] { return rig.store().trouble().has_value(); }));
  CHECK(rig.store().trouble()->name == "Unavailable");
  CHECK(name_of(rig.reserve({.key = counter("c")})) == "Unavailable");
  server.start();
  REQUIRE(rig.client.connect());
  CHECK_FALSE(rig.store().trouble());
  CHECK(rig.reserve({.key = counter("c")})->range.lo == 11);
}

TEST_CASE("a store that has lost everything says that it knows nothing") {
  RedisServer server;
  RedisStoreRig rig(server);
  CHECK(rig.reserve({.key = counter("c"), .count = 10})->stored == 0);
  CHECK(rig.reserve({.key = counter("c"), .count = 10})->stored == 11);
  REQUIRE(rig.client.ask({"FLUSHALL"}));
  CHECK(rig.reserve({.key = counter("c"), .count = 10})->stored == 0);
}

TEST_CASE("a range that came to too few replicas is not used, and not given out again") {
  RedisServer master;
  RedisServer replica;
  RedisStoreRig rig(master, 1);
  const auto alone = rig.reserve({.key = counter("c"), .count = 10});
  REQUIRE_FALSE(alone);
  CHECK(alone.error().name == "Indeterminate");
  CHECK(alone.error().text().find("{\"replicas\":0,\"wanted\":1}") != std::string::npos);

  RedisRig other({.endpoint = replica.endpoint()});
  REQUIRE(other.connect());
  REQUIRE(other.ask({"REPLICAOF", "127.0.0.1", std::to_string(master.port())}));
  std::int64_t tries = 1;
  Result<Reserved> both = alone;
  REQUIRE(turn_until(other.reactor, [&] {
    ++tries;
    both = rig.reserve({.key = counter("c"), .count = 10});
    return bool(both);
  }));
  CHECK(both->range == id::Range{10 * tries - 9, 10 * tries + 1});
  CHECK(other.ask({"GET", rig.prefix + "counter:c"})->text() == std::to_string(both->range.hi));

  replica.freeze();
  CHECK(name_of(rig.reserve({.key = counter("c")})) == "Indeterminate");
  CHECK(rig.client.redis->connected());
  replica.thaw();
}

TEST_CASE("while replicas are waited for leases are renewed in time, however much is reserved") {
  RedisServer server;
  RedisStoreRig rig(server, 1);
  const auto lease = rig.claim(claim_by("me"));
  std::vector<std::string> told;
  for (int i = 0; i < 50; ++i)
    rig.store().reserve({.key = counter("c")}, [&](const Result<Reserved>& reserved) {
      told.push_back(name_of(reserved));
      if (told.size() < 150)
        rig.store().reserve({.key = counter("c")},
                            [&](const Result<Reserved>& next) { told.push_back(name_of(next)); });
    });
  CHECK(rig.renew(claim_by("me"), *lease));
  REQUIRE(told.size() == 100);
  for (const std::string& name : told) CHECK(name == "Indeterminate");
  CHECK(rig.client.redis->connected());
}

TEST_CASE_FIXTURE(RedisStoreRig, "a store may go before its answers come") {
  int answers = 0;
  {
    RedisStore brief(*client.redis, {.prefix = prefix, .wait_replicas = 1});
    brief.reserve({.key = counter("c")}, [&](const Result<Reserved>& reserved) {
      CHECK(reserved.error().name == "Indeterminate");
      ++answers;
    });
    brief.tags({}, [&](const Result<std::vector<Tag>>& tags) {
      CHECK(tags->empty());
      ++answers;
    });
  }
  settle();
  CHECK(answers == 2);
}

}  // namespace zerosuite::test::redis_store_test
