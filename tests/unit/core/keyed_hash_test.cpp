#include "core/keyed_hash.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <functional>
#include <set>
#include <string>
#include <unordered_map>

namespace zerosuite::core::keyed_hash_test {

TEST_CASE("a text has one hash, however it is held") {
  const KeyedHash hash;
  const std::string text = "a peer's own words";
  CHECK(hash(text) == hash(std::string_view(text)));
  CHECK(hash(text) == hash(std::as_bytes(std::span(text))));
  CHECK(hash(text) != hash(text + "!"));
  CHECK(hash(std::uint64_t{1}) != hash(std::uint64_t{2}));
}

TEST_CASE("a table by keyed hash is searched without making a string") {
  std::unordered_map<std::string, int, KeyedHash, std::equal_to<>> table{{"one", 1}};
  CHECK(table.find(std::string_view("one")) != table.end());
  CHECK(table.find(std::string_view("two")) == table.end());
}

// libstdc++'s own hash is murmur under a known seed: 8-byte blocks can be turned back one by one, so that as
// many texts of one hash as anybody likes can be made (its std::_Hash_bytes, hash_bytes.cc).
std::string colliding(std::uint64_t variant) {
  constexpr std::uint64_t kMul = 0xc6a4a7935bd1e995ULL;
  const auto inverse = [] {
    std::uint64_t x = kMul;  // Newton: each step doubles the bits that are right
    for (int i = 0; i < 6; ++i) x *= 2 - kMul * x;
    return x;
  }();
  const auto unmix = [&](std::uint64_t mixed) {  // of k *= mul, k ^= k >> 47, k *= mul
    std::uint64_t k = mixed * inverse;
    k ^= k >> 47U;
    return k * inverse;
  };
  const auto mix = [&](std::uint64_t k) {
    k *= kMul;
    k ^= k >> 47U;
    return k * kMul;
  };
  const std::uint64_t start = 0xc70f6907ULL ^ (16 * kMul);
  const std::uint64_t first = variant;
  const std::uint64_t between = (start ^ mix(first)) * kMul;
  const std::uint64_t second = unmix(between ^ 0x1234567890abcdefULL);
  std::string text(16, '\0');
  std::memcpy(text.data(), &first, 8);
  std::memcpy(text.data() + 8, &second, 8);
  return text;
}

TEST_CASE("texts made to collide under the library's own hash do not collide under the keyed one") {
  std::set<std::size_t> library;
  std::set<std::size_t> keyed;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    library.insert(std::hash<std::string>()(colliding(i)));
    keyed.insert(KeyedHash()(colliding(i)));
  }
  CHECK(library.size() == 1);  // else the texts are no longer the attack they are meant to be
  CHECK(keyed.size() == 1000);
}

}  // namespace zerosuite::core::keyed_hash_test
