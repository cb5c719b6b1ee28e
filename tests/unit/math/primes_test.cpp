#include "math/primes.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "core/error.hpp"

namespace zerosuite::math::primes_test {

using List = std::vector<std::int64_t>;

// What a segment spans: 2^18 odd numbers.
constexpr std::int64_t kSegment = 1 << 19;

List primes_up_to(std::int64_t limit) {
  List list;
  Primes primes(limit);
  while (const auto prime = primes.next()) list.push_back(*prime);
  return list;
}

std::int64_t count_up_to(std::int64_t limit) {
  std::int64_t total = 0;
  Primes primes(limit);
  while (const auto count = primes.count_segment()) total += *count;
  return total;
}

// Eratosthenes without segments.
List plain_sieve(std::int64_t limit) {
  std::vector<bool> crossed(static_cast<std::size_t>(limit) + 1);
  List list;
  for (std::int64_t number = 2; number <= limit; ++number) {
    if (crossed[static_cast<std::size_t>(number)]) continue;
    list.push_back(number);
    for (std::int64_t multiple = number * number; multiple <= limit; multiple += number)
      crossed[static_cast<std::size_t>(multiple)] = true;
  }
  return list;
}

TEST_CASE("the first primes are right up to every small limit") {
  const List known{2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47};
  for (std::int64_t limit = -1; limit < 53; ++limit) {
    CAPTURE(limit);
    const auto end = std::upper_bound(known.begin(), known.end(), limit);
    CHECK(primes_up_to(limit) == List(known.begin(), end));
    CHECK(count_up_to(limit) == end - known.begin());
  }
}

TEST_CASE("there are 78498 primes below a million and 5761455 below a hundred million") {
  CHECK(count_up_to(1'000'000) == 78'498);
  CHECK(count_up_to(100'000'000) == 5'761'455);
}

TEST_CASE("primes come in order, without a gap or a repetition, across the borders of segments") {
  const List expected = plain_sieve(3 * kSegment);
  CHECK(primes_up_to(3 * kSegment) == expected);
}

TEST_CASE("a limit at the border of a segment loses and adds nothing") {
  const List expected = plain_sieve(2 * kSegment + 64);
  for (std::int64_t limit = 2 * kSegment - 4; limit <= 2 * kSegment + 64; ++limit) {
    CAPTURE(limit);
    CHECK(count_up_to(limit) == std::upper_bound(expected.begin(), expected.end(), limit) - expected.begin());
  }
}

TEST_CASE("a limit above 10**11 is a ValueError") {
  CHECK_NOTHROW(Primes(100'000'000'000));
  CHECK_THROWS_WITH_AS(Primes(100'000'000'001), "limit must be at most 10**11", core::Failure);
}

}  // namespace zerosuite::math::primes_test
