#include "core/quota.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace zerosuite::core::quota_test {

// How many places each of so many clients has once none of them may take another, taking turns.
std::vector<std::size_t> taken_by(std::size_t clients, const Quota& quota) {
  std::vector<std::size_t> own(clients);
  std::size_t used = 0;
  for (bool more = true; more;) {
    more = false;
    for (std::size_t& mine : own) {
      if (!quota.admits(mine, used)) continue;
      ++mine;
      ++used;
      more = true;
    }
  }
  return own;
}

constexpr Quota kQuota{.total = 1600, .per_client = 1'000'000};  // 1500 without what is kept back

TEST_CASE("one client alone gets half of the places, and two a third each") {
  CHECK(taken_by(1, kQuota) == std::vector<std::size_t>{750});
  CHECK(taken_by(2, kQuota) == std::vector<std::size_t>{500, 500});
}

TEST_CASE("whoever comes after the greedy finds places, however many they are") {
  for (const std::size_t greedy : {1U, 10U, 100U, 1000U}) {
    std::size_t used = 0;
    for (const std::size_t own : taken_by(greedy, kQuota)) used += own;
    CAPTURE(greedy);
    CHECK(kQuota.admits(0, used));
  }
}

TEST_CASE("a client has no more than its own limit, whatever is free") {
  CHECK(taken_by(1, {.total = 1600, .per_client = 10}) == std::vector<std::size_t>{10});
}

TEST_CASE("what gives something back finds room when others do not, and is not without a limit either") {
  CHECK_FALSE(kQuota.admits(0, 1500));
  CHECK(kQuota.admits_relief(0, 1500));
  CHECK(kQuota.admits_relief(750, 1599));
  CHECK_FALSE(kQuota.admits_relief(0, 1600));
  constexpr Quota narrow{.total = 1600, .per_client = 160};
  CHECK_FALSE(narrow.admits(160, 160));
  CHECK(narrow.admits_relief(160, 160));
  CHECK_FALSE(narrow.admits_relief(170, 170));
}

TEST_CASE("of very few places each goes to the first that asks, as long as it has none") {
  CHECK(taken_by(3, {.total = 2, .per_client = 100}) == std::vector<std::size_t>{1, 1, 0});
}

}  // namespace zerosuite::core::quota_test
