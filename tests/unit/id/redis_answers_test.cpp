#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "id/stores/redis_ids.hpp"
#include "id/stores/redis_store.hpp"
#include "support/redis_rig.hpp"
#include "support/store_rigs.hpp"

namespace zerosuite::test::redis_answers_test {

using core::Result;

/// A store on a server that answers every script with the same reply.
struct Rig : StoreCalls<Rig> {
  explicit Rig(const std::string& reply, int wait_replicas = 0)
      : fake(master_that_says(reply), {.longest_pause = 50ms}),
        redis_store(fake.redis(), {.wait_replicas = wait_replicas}),
        ids(fake.redis(), redis_store, 100) {
    if (!fake.client().connect()) throw std::runtime_error("not connected");
  }

  id::Store& store() { return redis_store; }
  void settle() {
    if (!fake.client().settle()) throw std::runtime_error("Redis does not answer");
  }
  Result<std::int64_t> next_id() {
    std::optional<Result<std::int64_t>> answer;
    ids.next("order", 0, [&](Result<std::int64_t> id) { answer = std::move(id); });
    settle();
    return answer ? *std::move(answer) : core::Error{"Unanswered", ""};
  }

  FakeRedisRig fake;
  id::stores::RedisStore redis_store;
  id::stores::RedisIds ids;
};

std::string text(const std::string& bytes) {
  return "$" + std::to_string(bytes.size()) + "\r\n" + bytes + "\r\n";
}
std::string integer(std::int64_t value) { return ":" + std::to_string(value) + "\r\n"; }
std::string list(const std::vector<std::string>& parts) {
  std::string all = "*" + std::to_string(parts.size()) + "\r\n";
  for (const std::string& part : parts) all += part;
  return all;
}

std::string range(const std::string& lo, const std::string& hi, const std::string& stored) {
  return list({text("ok"), text(lo), text(hi), text(stored)});
}
std::string lease(std::int64_t worker, std::int64_t epoch, std::int64_t ms) {
  return list({text("ok"), integer(worker), integer(epoch), integer(0), integer(ms)});
}
std::string tag(const std::vector<std::string>& numbers) {
  std::vector<std::string> parts{text("t")};
  for (const std::string& number : numbers) parts.push_back(text(number));
  parts.push_back(text("words"));
  parts.push_back(text("0"));  // the highest value it was lowered from
  return list({text("ok"), list(parts)});
}

const std::string kLowest = "-9223372036854775808";

TEST_CASE("a reply of another kind than the one that was asked for is an error, whatever is asked") {
  const std::string odd[] = {integer(7),
                             "+OK\r\n",
                             "$-1\r\n",
                             "*-1\r\n",
                             "*0\r\n",
                             text(""),
                             list({text("ok")}),
                             list({integer(1)}),
                             list({"$-1\r\n", "$-1\r\n"}),
                             list({text("ok"), "*0\r\n", "*0\r\n", "*0\r\n", "*0\r\n"}),
                             list({text("ok"), integer(1), integer(2), integer(3)}),
                             list({text("young"), text("soon")}),
                             list({text("exhausted"), text("x")}),
                             "-ERR what?\r\n"};
  for (const std::string& reply : odd) {
    CAPTURE(reply);
    Rig rig(reply);
    CHECK_FALSE(rig.reserve({.key = counter("c"), .count = 10}));
    CHECK_FALSE(rig.reserve({.key = tag_key("t"), .count = 10}));
    CHECK_FALSE(rig.create_tag(tag_of("t")));
    CHECK_FALSE(rig.update_tag("t", {.step = 5}));
    CHECK_FALSE(rig.delete_tag("t"));
    CHECK_FALSE(rig.tag("t"));
    CHECK_FALSE(rig.claim(claim_by("me")));
    CHECK_FALSE(rig.next_id());
    // These have fewer ways to be wrong.
    (void)rig.tags();
    (void)rig.give_back(counter("c"), {1, 2});
    (void)rig.renew(claim_by("me"), {.worker = 1, .epoch = 1});
    (void)rig.release(claim_by("me"), {.worker = 1, .epoch = 1});
    (void)rig.pin("layout", "a");
    CHECK(rig.fake.connections() == 1);
  }
}

TEST_CASE("a range that was not asked for is not used") {
  const id::ReserveRequest ask{.key = counter("c"), .count = 10, .floor = 100, .end = 1000};
  CHECK(Rig(range("100", "110", "100")).reserve(ask)->range == id::Range{100, 110});
  CHECK(Rig(range("995", "1000", "995")).reserve(ask));
  const std::string kHuge = "999999999999999999999999999999";
  for (const auto& reply :
       {range("99", "109", "99"), range("100", "100", "100"), range("110", "100", "100"),
        range("100", "111", "100"), range("995", "1001", "995"), range("100", "110", "101"),
        range("-1", "5", "0"), range("100", kHuge, "100"), range(kLowest, "9223372036854775807", "0"),
        range("100", "110", "-1"), range("1e2", "110", "0"), range("", "", "")}) {
    CAPTURE(reply);
    CHECK(name_of(Rig(reply).reserve(ask)) == "StorageError");
  }
  CHECK(name_of(Rig(list({text("exhausted"), text(kLowest)})).reserve(ask)) == "StorageError");
}

TEST_CASE("a tag that nobody can have made is not used") {
  CHECK(Rig(tag({"1", "10", "3", "2", "99"})).tag("t"));
  for (const auto& numbers : std::vector<std::vector<std::string>>{{"1", "0", "1", "0", "99"},
                                                                   {"1", "10", "0", "0", "99"},
                                                                   {"1", "10", "3", "3", "99"},
                                                                   {"1", "10", "3", "-1", "99"},
                                                                   {"-1", "10", "1", "0", "99"},
                                                                   {"1", "10", kLowest, "0", "99"}}) {
    CHECK(name_of(Rig(tag(numbers)).tag("t")) == "StorageError");
  }
}

TEST_CASE("a worker id that was not asked for, or a time that cannot be, is not used") {
  const std::int64_t now = 1'700'000'000'000;
  CHECK(Rig(lease(3, 1, now)).claim(claim_by("me", 3)));
  CHECK(Rig(lease(1023, 1, now)).claim(claim_by("me")));
  for (const auto& reply : {lease(4, 1, now), lease(3, -1, now), lease(3, 1, -1),
                            lease(3, 1, std::numeric_limits<std::int64_t>::max())})
    CHECK(name_of(Rig(reply).claim(claim_by("me", 3))) == "StorageError");
  for (const auto& reply : {lease(-1, 1, now), lease(1024, 1, now)})
    CHECK(name_of(Rig(reply).claim(claim_by("me"))) == "StorageError");
  for (const std::int64_t ms :
       {std::int64_t{-1}, std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()})
    CHECK(name_of(Rig(integer(ms)).renew(claim_by("me"), {.worker = 1, .epoch = 1})) == "StorageError");
}

TEST_CASE("a second or a counter that cannot be makes no id") {
  const std::int64_t least = std::numeric_limits<std::int64_t>::min();
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  CHECK(*Rig(list({integer(7), integer(1)})).next_id() == (std::int64_t{7} << 32 | 1));
  for (const auto& [second, count] : std::vector<std::pair<std::int64_t, std::int64_t>>{
           {-1, 1}, {least, 1}, {most, 1}, {7, 0}, {7, -1}, {7, least}})
    CHECK(name_of(Rig(list({integer(second), integer(count)})).next_id()) == "StorageError");
  CHECK(name_of(Rig(list({integer(7), integer(most)})).next_id()) == "RangeExhausted");
}

TEST_CASE("a server that says the same second and counter for ever is given up") {
  Rig rig(list({integer(7), integer(1)}));
  REQUIRE(rig.next_id());
  CHECK(name_of(rig.next_id()) == "StorageError");
}

TEST_CASE("a WAIT that is answered with no number leaves a reservation indeterminate") {
  Rig rig(range("100", "110", "100"), 1);  // the same to WAIT
  CHECK(name_of(rig.reserve({.key = counter("c"), .count = 10})) == "Indeterminate");
}

}  // namespace zerosuite::test::redis_answers_test
