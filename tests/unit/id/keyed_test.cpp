// What is done under a key: hashes, the permutation and the seal.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "id/secret/ciphers.hpp"
#include "support/golden.hpp"

namespace zerosuite::id::formats::keyed_test {

constexpr Subkey counting_from(unsigned char first) {
  Subkey key{};
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<unsigned char>(first + i);
  return key;
}

constexpr Subkey kKey = counting_from(0);
constexpr Subkey kOtherKey = counting_from(1);

/// The same numbers each time.
std::vector<std::uint64_t> numbers(std::size_t count, int bits) {
  std::vector<std::uint64_t> made{0, 1, (std::uint64_t{1} << bits) - 1};
  std::uint64_t state = 1;
  while (made.size() < count) {
    state = state * 6364136223846793005u + 1442695040888963407u;  // Knuth's MMIX
    made.push_back(state >> (64 - bits));
  }
  return made;
}

// https://github.com/veorq/SipHash, vectors.h: of the messages "", 00, 00 01, 00 01 02, ….
constexpr std::uint64_t kSipHash[] = {
    0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d,
    0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
    0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
    0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee, 0xa129ca6149be45e5};

TEST_CASE("SipHash-2-4 is as its authors publish it") {
  std::vector<unsigned char> message;
  for (const std::uint64_t expected : kSipHash) {
    CHECK(siphash(message, kKey) == expected);
    message.push_back(static_cast<unsigned char>(message.size()));
  }
}

TEST_CASE("the hash of a number is that of its bytes, the lowest first") {
  CHECK(siphash(0x0706050403020100, kKey) == kSipHash[8]);
}

// By Python's hashlib.blake2b(b"obf\0order", key=bytes(range(16)), digest_size=16).
TEST_CASE("a subkey is a keyed BLAKE2b of its purpose and context") {
  const auto hex = [](const Subkey& key) {
    return test::to_hex({reinterpret_cast<const char*>(key.data()), key.size()});
  };
  CHECK(hex(derive(kKey, "obf", "order")) == "7f119c057d02303f30db9358ef2d1cf2");
  CHECK(derive(kKey, "ob", "forder") != derive(kKey, "obf", "order"));
  CHECK(derive(kKey, "obf", "") != derive(kKey, "obf", "order"));
  CHECK(derive(kOtherKey, "obf", "order") != derive(kKey, "obf", "order"));
}

TEST_CASE("a key that BLAKE2b cannot take is refused") {
  CHECK_THROWS_AS(derive(std::vector<unsigned char>(65), "obf", ""), std::invalid_argument);
  CHECK_NOTHROW(derive(std::vector<unsigned char>(64), "obf", ""));
}

TEST_CASE("numbers are equal when all of their bits are") {
  CHECK(equal(0x8000000000000001, 0x8000000000000001));
  CHECK_FALSE(equal(0x8000000000000001, 0x8000000000000000));
  CHECK_FALSE(equal(0x8000000000000001, 1));
}

TEST_CASE("a small permutation takes every number to another, and back") {
  for (const auto& [left, right] : {std::pair(6, 7), std::pair(7, 6), std::pair(1, 12), std::pair(8, 8)}) {
    const FeistelCipher permutation(kKey, left, right);
    const std::size_t size = std::size_t{1} << (left + right);
    std::vector<bool> taken(size);
    for (std::uint64_t number = 0; number < size; ++number) {
      const std::uint64_t image = permutation.apply(number);
      REQUIRE(image < size);
      REQUIRE_FALSE(taken[image]);
      taken[image] = true;
      REQUIRE(permutation.invert(image) == number);
    }
  }
}

TEST_CASE("a permutation of ids stays among them, and comes back") {
  const FeistelCipher permutation(kKey);
  for (const std::uint64_t number : numbers(100'000, 63)) {
    const std::uint64_t image = permutation.apply(number);
    REQUIRE(image < std::uint64_t{1} << 63);
    REQUIRE(permutation.invert(image) == number);
    REQUIRE(permutation.apply(permutation.invert(number)) == number);
  }
}

TEST_CASE("one bit more or less changes half of the bits") {
  const FeistelCipher permutation(kKey);
  for (int bit = 0; bit < 63; ++bit) {
    std::array<int, 63> changes{};
    constexpr int kTries = 1000;
    for (const std::uint64_t number : numbers(kTries, 63)) {
      const std::uint64_t changed =
          permutation.apply(number) ^ permutation.apply(number ^ std::uint64_t{1} << bit);
      for (std::size_t at = 0; at < changes.size(); ++at) changes[at] += static_cast<int>(changed >> at & 1);
    }
    const auto [least, most] = std::minmax_element(changes.begin(), changes.end());
    CHECK(*least > kTries * 4 / 10);
    CHECK(*most < kTries * 6 / 10);
  }
}

TEST_CASE("a permutation has no order left") {
  const FeistelCipher permutation(kKey);
  int rises = 0;
  for (std::uint64_t number = 0; number < 10'000; ++number)
    if (permutation.apply(number) < permutation.apply(number + 1)) ++rises;
  CHECK(rises > 4'800);
  CHECK(rises < 5'200);
}

TEST_CASE("another key is another permutation") {
  const FeistelCipher permutation(kKey), other(kOtherKey);
  for (const std::uint64_t number : numbers(1000, 63))
    CHECK(permutation.apply(number) != other.apply(number));
}

TEST_CASE("a sealed number comes back") {
  const SivCipher seal(kKey, kOtherKey);
  for (const std::uint64_t number : numbers(100'000, 63)) REQUIRE(seal.open(seal.close(number)) == number);
}

TEST_CASE("a seal does not open when one bit of it is another") {
  const SivCipher seal(kKey, kOtherKey);
  for (const std::uint64_t number : numbers(100, 63)) {
    const Number128 sealed = seal.close(number);
    for (int bit = 0; bit < 64; ++bit) {
      const std::uint64_t flipped = std::uint64_t{1} << bit;
      REQUIRE_FALSE(seal.open(sealed ^ Number128{flipped} << 64).has_value());
      REQUIRE_FALSE(seal.open(sealed ^ flipped).has_value());
    }
  }
}

TEST_CASE("a seal opens only with both of its keys") {
  const Number128 sealed = SivCipher(kKey, kOtherKey).close(42);
  CHECK_FALSE(SivCipher(kOtherKey, kOtherKey).open(sealed).has_value());
  CHECK_FALSE(SivCipher(kKey, kKey).open(sealed).has_value());
  CHECK_FALSE(SivCipher(kOtherKey, kKey).open(sealed).has_value());
}

TEST_CASE("neither half of a seal shows the number, or how it differs from another") {
  const SivCipher seal(kKey, kOtherKey);
  std::set<std::uint64_t> differences;
  for (std::uint64_t number = 0; number < 1000; ++number)
    differences.insert(low_half(seal.close(number) ^ seal.close(number + 1)));
  CHECK(differences.size() == 1000);
}

}  // namespace zerosuite::id::formats::keyed_test
