#include "wire/reader.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <random>

#include "support/golden.hpp"
#include "support/reference_parser.hpp"

namespace zerosuite::wire::reader_test {

using Random = std::mt19937_64;

std::uint64_t below(Random& random, std::uint64_t limit) { return random() % limit; }

// A value of any kind, encoded in any of the ways that MessagePack has for it.
void append_value(Random& random, std::size_t depth, std::string& out) {
  // Code, size of its length field, size of its payload without one.
  struct Form {
    std::uint8_t code, width, fixed;
  };
  static constexpr Form kPlain[] = {
      {0xc0, 0, 0}, {0xc2, 0, 0}, {0xc3, 0, 0}, {0xca, 0, 4}, {0xcb, 0, 8}, {0xcc, 0, 1}, {0xcd, 0, 2},
      {0xce, 0, 4}, {0xcf, 0, 8}, {0xd0, 0, 1}, {0xd1, 0, 2}, {0xd2, 0, 4}, {0xd3, 0, 8}, {0x05, 0, 0},
      {0xe5, 0, 0}, {0xc4, 1, 0}, {0xc5, 2, 0}, {0xc6, 4, 0}, {0xd9, 1, 0}, {0xda, 2, 0}, {0xdb, 4, 0},
      {0xa3, 0, 3}, {0xa0, 0, 0}, {0xc7, 1, 1}, {0xc8, 2, 1}, {0xc9, 4, 1}, {0xd4, 0, 2}, {0xd5, 0, 3},
      {0xd6, 0, 5}, {0xd7, 0, 9}, {0xd8, 0, 17}};
  static constexpr Form kOpen[] = {{0x90, 0, 0}, {0xdc, 2, 0}, {0xdd, 4, 0},
                                   {0x80, 0, 0}, {0xde, 2, 0}, {0xdf, 4, 0}};
  const auto append_length = [&out](std::uint64_t length, std::uint8_t width) {
    for (int byte = width - 1; byte >= 0; --byte) out.push_back(static_cast<char>(length >> (8 * byte)));
  };
  if (depth == 0 || below(random, 3) > 0) {
    const Form form = kPlain[below(random, std::size(kPlain))];
    const std::uint64_t length = form.width == 0 ? 0 : below(random, 40);
    out.push_back(static_cast<char>(form.code));
    append_length(length, form.width);
    for (std::uint64_t i = 0; i < length + form.fixed; ++i) out.push_back(static_cast<char>(random()));
    return;
  }
  const Form form = kOpen[below(random, std::size(kOpen))];
  const std::uint64_t count = below(random, 6);
  out.push_back(static_cast<char>(form.width == 0 ? form.code | count : form.code));
  append_length(count, form.width);
  const bool is_map = form.code == 0x80 || form.code >= 0xde;
  for (std::uint64_t i = 0; i < count * (is_map ? 2 : 1); ++i) append_value(random, depth - 1, out);
}

std::string_view skipped(std::string_view bytes, const Limits& limits) { return Reader(bytes).skip(limits); }

// Whether skip() and msgpack-c agree on `bytes`, in any limits.
void check_against_reference(std::string_view bytes) {
  const test::Parsed reference = test::parse_by_reference(bytes);
  const std::string_view taken = skipped(bytes, kChecked);
  const std::size_t expected = reference.whole && reference.depth <= kMostNesting ? reference.size : 0;
  if (taken.size() != expected) {
    CAPTURE(test::to_hex(bytes));
    CHECK(taken.size() == expected);
  }
  if (expected == 0) return;
  CHECK(skipped(bytes, {.max_nesting = reference.depth, .max_elements = reference.values}).size() ==
        expected);
  CHECK(skipped(bytes, {.max_nesting = reference.depth, .max_elements = reference.values - 1}).empty());
  if (reference.depth > 0) CHECK(skipped(bytes, {.max_nesting = reference.depth - 1}).empty());
}

TEST_CASE("valid documents end where msgpack-c says they end, also when something follows or is missing") {
  Random random(20240229);
  for (int i = 0; i < 20'000; ++i) {
    std::string document;
    append_value(random, 6, document);
    const std::size_t size = document.size();
    CHECK(test::parse_by_reference(document).whole);
    check_against_reference(document);
    check_against_reference(document + "\xc1\x93");
    check_against_reference(document.substr(0, below(random, size)));
    document[below(random, size)] = static_cast<char>(random());
    check_against_reference(document);
  }
}

TEST_CASE("random bytes are taken or refused as msgpack-c does") {
  Random random(20240301);
  std::string bytes;
  for (int i = 0; i < 50'000; ++i) {
    bytes.resize(below(random, 64));
    for (char& byte : bytes) byte = static_cast<char>(random());
    check_against_reference(bytes);
  }
}

TEST_CASE("every first byte is taken as msgpack-c takes it, with much and with little behind") {
  for (int code = 0; code < 256; ++code) {
    for (const std::size_t behind : {0U, 1U, 2U, 3U, 4U, 5U, 8U, 9U, 15U, 17U, 30U, 31U, 300U}) {
      for (const char fill : {'\0', '\1', '\xff'}) {
        const std::string bytes = static_cast<char>(code) + std::string(behind, fill);
        check_against_reference(bytes);
      }
    }
  }
}

TEST_CASE("a value of another kind is left where it is") {
  const std::string nil = "\xc0";
  Reader in(nil);
  CHECK_FALSE(in.boolean());
  CHECK_FALSE(in.integer());
  CHECK_FALSE(in.floating());
  CHECK_FALSE(in.str());
  CHECK_FALSE(in.bin());
  CHECK_FALSE(in.array());
  CHECK_FALSE(in.map());
  CHECK_FALSE(in.ext());
  CHECK(in.position() == nil.data());
  CHECK(in.nil());
  CHECK(in.at_end());
  CHECK_FALSE(in.nil());
}

TEST_CASE("a number cut short is left where it is") {
  for (const std::string hex : {"cc", "cd01", "ce010203", "cf01020304050607", "d0", "d101", "d2010203",
                                "d301020304050607", "ca010203", "cb01020304050607"}) {
    CAPTURE(hex);
    const std::string bytes = test::from_hex(hex);
    Reader in(bytes);
    CHECK_FALSE(in.integer());
    CHECK_FALSE(in.floating());
    CHECK(in.position() == bytes.data());
  }
}

TEST_CASE("kinds have Python's names") {
  struct Row {
    std::string hex, name;
  };
  for (const Row& row : {Row{"c0", "NoneType"},
                         {"c2", "bool"},
                         {"05", "int"},
                         {"ff", "int"},
                         {"ca00000000", "float"},
                         {"a0", "str"},
                         {"c400", "bytes"},
                         {"90", "list"},
                         {"80", "dict"},
                         {"d40500", "ExtType"},
                         {"c1", "nothing"},
                         {"", "nothing"}}) {
    const std::string bytes = test::from_hex(row.hex);
    CHECK(python_name(Reader(bytes).peek()) == row.name);
  }
}

TEST_CASE("an extension has a signed type and its bytes") {
  const std::string bytes = test::from_hex("d6ff 00000001 c7 00 7f c7 02 0d 6162");
  Reader in(bytes);
  const auto timestamp = in.ext();
  REQUIRE(timestamp);
  CHECK(timestamp->type == -1);
  CHECK(timestamp->data.size() == 4);
  const auto empty = in.ext();
  REQUIRE(empty);
  CHECK(empty->type == 127);
  CHECK(empty->data.empty());
  const auto date = in.ext();
  REQUIRE(date);
  CHECK(date->type == 13);
  CHECK(date->data == "ab");
  CHECK(in.at_end());
}

}  // namespace zerosuite::wire::reader_test
