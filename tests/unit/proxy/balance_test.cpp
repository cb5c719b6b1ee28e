#include "proxy/balance.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "support/fakes.hpp"

namespace zerosuite::test::balance_test {

using proxy::Balance;
using proxy::Load;

constexpr auto kLater = kStart + 1h;  // when every worker has long started

// Some workers and a balance over them.
struct Pool {
  explicit Pool(std::size_t workers, const proxy::BalanceOptions& options = {})
      : loads(workers), balance(options, 42) {
    for (Load& load : loads) load.since = kStart;
  }
  std::optional<std::size_t> pick(core::TimePoint now = kLater) {
    return balance.pick(
        loads.size(), [this](std::size_t i) { return &loads[i]; }, now);
  }
  // How often each worker is picked in `rounds`, its load standing still.
  std::map<std::size_t, int> picks(int rounds, core::TimePoint now = kLater) {
    std::map<std::size_t, int> counts;
    for (int i = 0; i < rounds; ++i) {
      if (const auto picked = pick(now)) ++counts[*picked];
    }
    return counts;
  }
  // How many calls each worker has once `calls` were given out and none has ended.
  void fill(int calls, core::TimePoint now = kLater) {
    for (int i = 0; i < calls; ++i) {
      Load& load = loads[*pick(now)];
      ++load.outstanding;
      load.used = now + core::Clock::duration(i);
    }
  }
  void answer(std::size_t worker, bool unavailable, core::TimePoint now) {
    balance.answered(loads[worker], unavailable, now);
  }

  std::vector<Load> loads;
  Balance balance;
};

std::string owner_among(const std::vector<std::string>& ids, const std::string& key) {
  const auto owner = Balance::owner(
      ids.size(), [&](std::size_t i) { return std::string_view(ids[i]); }, key);
  return owner ? ids[*owner] : std::string();
}

TEST_CASE("nobody is picked from none") {
  Pool pool(0);
  CHECK_FALSE(pool.pick());
}

TEST_CASE("of two workers the less loaded gets the call") {
  Pool pool(2);
  pool.loads[0].outstanding = 3;
  pool.loads[1].outstanding = 4;
  CHECK(pool.picks(100) == std::map<std::size_t, int>{{0, 100}});
}

TEST_CASE("of two workers equally loaded the one that has waited longer gets the call") {
  Pool pool(2);
  pool.loads[0].used = kStart + 2s;
  pool.loads[1].used = kStart + 1s;
  CHECK(pool.picks(100) == std::map<std::size_t, int>{{1, 100}});
}

TEST_CASE("the most loaded of many is never picked, and every other one is") {
  Pool pool(5);
  for (std::size_t i = 0; i < 5; ++i) pool.loads[i].outstanding = i;
  const auto counts = pool.picks(2000);
  CHECK_FALSE(counts.contains(4));
  for (std::size_t i = 0; i + 1 < 4; ++i) CHECK(counts.at(i) > counts.at(i + 1));
}

TEST_CASE("calls that stay open spread evenly over equal workers") {
  Pool pool(10);
  pool.fill(1000);
  for (const Load& load : pool.loads) {
    CHECK(load.outstanding >= 95);
    CHECK(load.outstanding <= 105);
  }
}

TEST_CASE("a worker of three times the weight gets three times the calls") {
  Pool pool(2);
  pool.loads[0].weight = 300;
  pool.fill(400);
  CHECK(pool.loads[0].outstanding >= 298);
  CHECK(pool.loads[0].outstanding <= 302);
}

TEST_CASE("a worker's share grows from a tenth to the whole while it starts") {
  for (const auto& [age, share] : std::vector<std::pair<core::milliseconds, double>>{
           {0ms, 0.1}, {2500ms, 0.55}, {5000ms, 1.0}, {1h, 1.0}}) {
    CAPTURE(age.count());
    Pool pool(2);
    pool.loads[0].since = kStart;
    pool.loads[1].since = kLater - age;
    pool.fill(1000);
    const double expected = 1000 * share / (1 + share);
    CHECK(static_cast<double>(pool.loads[1].outstanding) == doctest::Approx(expected).epsilon(0.02));
  }
}

TEST_CASE("between idle workers chance decides in proportion to their shares") {
  Pool weighted(2);
  weighted.loads[0].weight = 300;
  const auto by_weight = weighted.picks(10'000);
  CHECK(by_weight.at(0) > 7300);
  CHECK(by_weight.at(0) < 7700);
  Pool young(2);
  young.loads[1].since = kLater;
  const auto by_age = young.picks(11'000);
  CHECK(by_age.at(1) > 850);
  CHECK(by_age.at(1) < 1150);
}

TEST_CASE("a worker alone gets every call, however young it is") {
  Pool pool(1);
  CHECK(pool.picks(10, kStart) == std::map<std::size_t, int>{{0, 10}});
}

TEST_CASE("a worker that has all the calls it takes gets none, until one has ended") {
  Pool pool(2);
  for (Load& load : pool.loads) load.max_inflight = 3;
  pool.fill(6);
  CHECK(pool.loads[0].outstanding == 3);
  CHECK_FALSE(pool.pick());
  --pool.loads[1].outstanding;
  CHECK(pool.pick() == 1U);
}

TEST_CASE("a worker that drains, is gone, has a full pipe or cannot take the call is never picked") {
  Pool pool(6);
  pool.loads[0].draining = true;
  pool.loads[1].gone = true;
  pool.loads[2].full_until = kLater + 1ms;
  pool.loads[3].outstanding = pool.loads[3].max_inflight = 1;
  const auto load_of = [&](std::size_t i) { return i == 4 ? nullptr : &pool.loads[i]; };
  for (int i = 0; i < 200; ++i) CHECK(pool.balance.pick(6, load_of, kLater) == 5U);
}

TEST_CASE("a pipe that was full counts again at its time") {
  Pool pool(1);
  pool.loads[0].full_until = kLater + 2ms;
  CHECK_FALSE(pool.pick(kLater + 1ms));
  CHECK(pool.pick(kLater + 2ms) == 0U);
}

TEST_CASE("the last worker with room is found among a hundred without") {
  Pool pool(100);
  for (Load& load : pool.loads) load.outstanding = load.max_inflight = 1;
  pool.loads[77].outstanding = 0;
  for (int i = 0; i < 100; ++i) CHECK(pool.pick() == 77U);
}

TEST_CASE("five answers of Unavailable in a row set a worker aside for a second") {
  Pool pool(2);
  pool.loads[1].outstanding = 1000;
  for (int i = 0; i < 4; ++i) pool.answer(0, true, kLater);
  CHECK(pool.pick() == 0U);
  pool.answer(0, true, kLater);
  CHECK(pool.picks(50) == std::map<std::size_t, int>{{1, 50}});
  CHECK(pool.pick(kLater + 999ms) == 1U);
  CHECK(pool.pick(kLater + 1s) == 0U);
}

TEST_CASE("any other answer in between starts the count anew") {
  Pool pool(1);
  for (int i = 0; i < 4; ++i) pool.answer(0, true, kLater);
  pool.answer(0, false, kLater);
  for (int i = 0; i < 4; ++i) pool.answer(0, true, kLater);
  CHECK_FALSE(pool.loads[0].ejected(kLater));
}

TEST_CASE("one more such answer sets it aside again, twice as long each time, up to thirty seconds") {
  Pool pool(1);
  core::TimePoint now = kLater;
  for (int i = 0; i < 4; ++i) pool.answer(0, true, now);
  for (const auto expected : {1s, 2s, 4s, 8s, 16s, 30s, 30s, 30s, 30s, 30s, 30s, 30s, 30s}) {
    pool.answer(0, true, now);
    CHECK(pool.loads[0].ejected_until == now + expected);
    now = pool.loads[0].ejected_until;
  }
}

TEST_CASE("an answer that comes while a worker is set aside does not set it aside for longer") {
  Pool pool(1);
  for (int i = 0; i < 5; ++i) pool.answer(0, true, kLater);
  for (int i = 0; i < 20; ++i) pool.answer(0, true, kLater + 500ms);
  CHECK(pool.loads[0].ejected_until == kLater + 1s);
}

TEST_CASE("a worker that has answered well is set aside for a second again, not for longer") {
  Pool pool(1);
  for (int i = 0; i < 5; ++i) pool.answer(0, true, kLater);
  pool.answer(0, true, kLater + 1s);
  pool.answer(0, false, kLater + 10s);
  for (int i = 0; i < 4; ++i) pool.answer(0, true, kLater + 20s);
  CHECK_FALSE(pool.loads[0].ejected(kLater + 20s));
  pool.answer(0, true, kLater + 20s);
  CHECK(pool.loads[0].ejected_until == kLater + 21s);
}

TEST_CASE("how many answers set a worker aside, and for how long, are options") {
  Pool pool(1, {.eject_after = 1, .eject_for = 10ms, .eject_longest = 15ms});
  pool.answer(0, true, kLater);
  CHECK(pool.loads[0].ejected_until == kLater + 10ms);
  pool.answer(0, true, kLater + 10ms);
  CHECK(pool.loads[0].ejected_until == kLater + 25ms);
}

TEST_CASE("workers set aside get calls when nobody else has room, the less loaded first") {
  Pool pool(3);
  for (Load& load : pool.loads) load.ejected_until = kLater + 1s;
  pool.loads[0].outstanding = 9;
  pool.loads[1].outstanding = 5;
  pool.loads[2].outstanding = 7;
  CHECK(pool.picks(20) == std::map<std::size_t, int>{{1, 20}});
  pool.loads[0].ejected_until = kLater;
  CHECK(pool.picks(20) == std::map<std::size_t, int>{{0, 20}});
  pool.loads[0].max_inflight = 9;
  CHECK(pool.picks(20) == std::map<std::size_t, int>{{1, 20}});
}

TEST_CASE("a key has one owner, in whatever order the workers stand") {
  const std::vector<std::string> ids{"a", "b", "c", "d"};
  const std::vector<std::string> other_order{"d", "b", "a", "c"};
  for (int i = 0; i < 100; ++i) {
    const std::string key = "key-" + std::to_string(i);
    CHECK(owner_among(ids, key) == owner_among(other_order, key));
  }
  CHECK(owner_among({}, "key").empty());
  CHECK(owner_among({"", ""}, "key").empty());
}

TEST_CASE("when a worker goes only its own keys change hands, and they return when it comes back") {
  const std::vector<std::string> all{"a", "b", "c", "d", "e"};
  const std::vector<std::string> without{"a", "b", "", "d", "e"};
  int moved = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::string key = "key-" + std::to_string(i);
    const std::string before = owner_among(all, key);
    if (before == "c") {
      ++moved;
      CHECK(owner_among(without, key) != "c");
    } else {
      CHECK(owner_among(without, key) == before);
    }
  }
  CHECK(moved > 140);
  CHECK(moved < 260);
}

TEST_CASE("keys spread evenly over workers whose ids differ in one digit") {
  std::vector<std::string> ids;
  for (int i = 0; i < 10; ++i) ids.push_back("math-0000000" + std::to_string(i));
  std::map<std::string, int> owned;
  for (int i = 0; i < 10'000; ++i) ++owned[owner_among(ids, packed(i))];
  CHECK(owned.size() == ids.size());
  for (const auto& [id, keys] : owned) {
    CAPTURE(id);
    CHECK(keys > 850);
    CHECK(keys < 1150);
  }
}

}  // namespace zerosuite::test::balance_test
