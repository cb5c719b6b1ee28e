#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "core/random.hpp"
#include "support/process.hpp"

namespace zerosuite::core::entropy_test {

using test::wiped_on_fork;

std::string_view text_of(const std::uint64_t& bits) {
  return {reinterpret_cast<const char*>(&bits), sizeof bits};
}

TEST_CASE("random bits do not repeat, within a page and beyond it") {
  Entropy entropy;
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 5000; ++i) seen.insert(entropy.bits());
  CHECK(seen.size() == 5000);
}

TEST_CASE("every byte asked for is filled, and none beside them, however many pages that takes") {
  Entropy entropy;
  entropy.fill({});
  std::vector<std::byte> bytes(3 * 4096 + 7);
  std::vector<bool> touched(bytes.size());
  for (int i = 0; i < 8; ++i) {
    entropy.fill(std::span(bytes).subspan(1, bytes.size() - 2));
    for (std::size_t at = 0; at < bytes.size(); ++at) touched[at] = touched[at] || bytes[at] != std::byte{0};
  }
  CHECK_FALSE(touched.front());
  CHECK_FALSE(touched.back());
  CHECK(std::count(touched.begin(), touched.end(), true) == static_cast<std::ptrdiff_t>(bytes.size() - 2));
}

TEST_CASE("a fill that spans two pages repeats nothing") {
  Entropy entropy;
  std::array<std::byte, 8 * 700> bytes{};
  entropy.fill(bytes);
  std::set<std::uint64_t> seen;
  for (std::size_t at = 0; at < bytes.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, 8);
    seen.insert(word);
  }
  CHECK(seen.size() == 700);
}

TEST_CASE("a child never hands out what its parent does") {
  Entropy entropy;
  entropy.bits();
  const auto bits = [&] { return std::to_string(entropy.bits()); };
  const std::string childs = test::in_child(bits), other_childs = test::in_child(bits);
  CHECK(childs != other_childs);
  for (int i = 0; i < 1000; ++i) {
    const std::string parents = bits();
    CHECK(parents != childs);
    CHECK(parents != other_childs);
  }
}

TEST_CASE("what was handed out is not kept") {
  Entropy entropy;
  const std::uint64_t first = entropy.bits();
  const std::uint64_t second = entropy.bits();
  const std::string kept = wiped_on_fork();
  REQUIRE(std::count(kept.begin(), kept.end(), '\0') < static_cast<std::ptrdiff_t>(kept.size() / 2));
  CHECK(kept.find(text_of(first)) == kept.npos);
  CHECK(kept.find(text_of(second)) == kept.npos);
}

TEST_CASE("what is forgotten is neither kept nor handed out") {
  Entropy entropy;
  entropy.bits();
  entropy.forget();
  const std::string kept = wiped_on_fork();
  CHECK(std::count(kept.begin(), kept.end(), '\0') == static_cast<std::ptrdiff_t>(kept.size()));
  CHECK(entropy.bits() != 0);
}

TEST_CASE("what was buffered before forget() is never handed out after it") {
  Entropy entropy;
  entropy.bits();
  const std::string before = wiped_on_fork();
  entropy.forget();
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t bits = entropy.bits();
    CHECK(before.find(text_of(bits)) == before.npos);
  }
}

TEST_CASE("a mark tells a child that it is one, until it is renewed there") {
  ForkMark mark;
  const auto shown = [&] { return std::string(mark.forked() ? "child" : "parent"); };
  CHECK(shown() == "parent");
  CHECK(test::in_child(shown) == "child");
  CHECK(test::in_child([&] {
          mark.renew();
          return shown();
        }) == "parent");
  CHECK(shown() == "parent");
}

}  // namespace zerosuite::core::entropy_test
