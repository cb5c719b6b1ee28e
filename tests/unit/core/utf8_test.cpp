#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <string>

#include "core/text.hpp"

namespace zerosuite::core::utf8_test {

// The plain definition: a sequence is well formed when it is how its code point is encoded.
std::string encoded(std::uint32_t point) {
  const auto tail = [point](unsigned shift) { return static_cast<char>(0x80 | ((point >> shift) & 0x3f)); };
  if (point < 0x80) return {static_cast<char>(point)};
  if (point < 0x800) return {static_cast<char>(0xc0 | point >> 6), tail(0)};
  if (point < 0x10000) return {static_cast<char>(0xe0 | point >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xf0 | point >> 18), tail(12), tail(6), tail(0)};
}

bool is_scalar(std::uint32_t point) { return point <= 0x10ffff && (point < 0xd800 || point > 0xdfff); }

// For bytes none of which is ASCII, so that they can only be one sequence or several of two.
bool is_one_sequence(const std::string& bytes) {
  std::uint32_t point = static_cast<std::uint8_t>(bytes[0]) & (0xffU >> (bytes.size() + 1));
  for (std::size_t i = 1; i < bytes.size(); ++i)
    point = point << 6 | (static_cast<std::uint8_t>(bytes[i]) & 0x3fU);
  return is_scalar(point) && encoded(point) == bytes;
}

TEST_CASE("every code point but the surrogates is text in its encoding, and nothing beyond U+10FFFF is") {
  std::uint32_t wrong = 0;
  for (std::uint32_t point = 0; point < 0x200000; ++point)
    wrong += is_utf8(encoded(point)) != is_scalar(point);
  CHECK(wrong == 0);
}

TEST_CASE("of all bytes, pairs and triples, only well-formed sequences are text") {
  std::uint32_t wrong = 0;
  for (unsigned first = 0x80; first < 0x100; ++first) {
    const char lead = static_cast<char>(first);
    wrong += is_utf8({&lead, 1});
    for (unsigned second = 0x80; second < 0x100; ++second) {
      const std::string pair{lead, static_cast<char>(second)};
      const bool is_pair = is_one_sequence(pair);
      wrong += is_utf8(pair) != is_pair;
      for (unsigned third = 0x80; third < 0x100; ++third) {
        const std::string triple = pair + static_cast<char>(third);
        wrong += is_utf8(triple) != is_one_sequence(triple);
      }
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("of four bytes, only well-formed sequences are text") {
  std::uint32_t wrong = 0;
  for (unsigned first = 0xe0; first < 0x100; ++first) {
    for (unsigned second = 0x80; second < 0x100; ++second) {
      for (const unsigned third : {0x80U, 0xbfU, 0xc0U, 0xffU}) {
        for (const unsigned fourth : {0x80U, 0xbfU, 0xc0U, 0xffU}) {
          std::string bytes;
          for (const unsigned byte : {first, second, third, fourth}) bytes.push_back(static_cast<char>(byte));
          wrong += is_utf8(bytes) != is_one_sequence(bytes);
        }
      }
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("overlong forms, surrogates and code points above the last are not text") {
  for (const std::string bytes : {"\xc0\x80", "\xc1\xbf", "\xe0\x80\xaf", "\xe0\x9f\xbf", "\xf0\x80\x80\xaf",
                                  "\xf0\x8f\xbf\xbf", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf4\x90\x80\x80",
                                  "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xfe", "\xff"})
    CHECK_FALSE(is_utf8(bytes));
}

TEST_CASE("a damaged or cut sequence is found wherever it stands among ASCII") {
  for (std::size_t before = 0; before < 20; ++before) {
    for (std::size_t after = 0; after < 20; ++after) {
      const std::string left(before, 'a'), right(after, 'z');
      CHECK(is_utf8(left + "\xf0\x9f\x99\x82" + right));
      CHECK_FALSE(is_utf8(left + "\xf0\x9f\x99" + right));
      CHECK_FALSE(is_utf8(left + "\x80" + right));
    }
  }
  CHECK(is_utf8(""));
}

}  // namespace zerosuite::core::utf8_test
