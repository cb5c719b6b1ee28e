#include "core/random.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <set>

namespace zerosuite::core::random_test {

TEST_CASE("a thousand draws of 64 random bits are all different") {
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(random_bits());
  CHECK(seen.size() == 1000);
}

TEST_CASE("every byte asked for is filled, and none beside them") {
  std::array<std::byte, 600> bytes{};  // more than the kernel promises to give in one call
  const std::span<std::byte> inside(bytes.data() + 1, bytes.size() - 2);
  std::array<bool, 600> touched{};
  for (int i = 0; i < 8; ++i) {
    fill_random(inside);
    for (std::size_t at = 0; at < bytes.size(); ++at) touched[at] = touched[at] || bytes[at] != std::byte{0};
  }
  CHECK_FALSE(touched.front());
  CHECK_FALSE(touched.back());
  CHECK(std::count(touched.begin(), touched.end(), true) == 598);
  fill_random({});
}

TEST_CASE("random digits are two for each byte, and never the same") {
  CHECK(random_hex(16).size() == 32);
  CHECK(random_hex(16).find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(random_hex(16) != random_hex(16));
}

}  // namespace zerosuite::core::random_test
