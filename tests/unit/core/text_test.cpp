#include "core/text.hpp"

#include <doctest/doctest.h>

#include <array>
#include <limits>
#include <vector>

#include "core/error.hpp"

namespace zerosuite::core::text_test {

const std::vector<std::string> kKnown = {"bind", "proxy", "log_level", "drain_ms"};

TEST_CASE("a number is read from the whole text or not at all") {
  CHECK(parse<int>("42") == 42);
  CHECK(parse<std::int64_t>("-9223372036854775808") == std::numeric_limits<std::int64_t>::min());
  CHECK(parse<std::uint64_t>("ff", 16) == 255);
  for (const char* text : {"", " 42", "42 ", "+42", "4.2", "0x2a", "forty"}) CHECK_FALSE(parse<int>(text));
  CHECK_FALSE(parse<std::uint16_t>("65536"));
  CHECK_FALSE(parse<std::uint16_t>("-1"));
}

TEST_CASE("bytes become two small digits each, and digits of either case bytes again") {
  CHECK(hex("") == "");
  CHECK(hex(std::string_view("\0\x7f\xff", 3)) == "007fff");
  std::array<unsigned char, 3> bytes{};
  REQUIRE(unhex("00fFaB", bytes));
  CHECK(bytes == std::array<unsigned char, 3>{0x00, 0xff, 0xab});
  for (const char* digits : {"", "00ff", "00ffab00", "00ffa", "00ffag", "00 ffab"})
    CHECK_FALSE(unhex(digits, bytes));
}

TEST_CASE("a number outside its range is refused by what it must be") {
  check_range("n", 1, 1, 3);
  check_range("n", 3, 1, 3);
  for (const std::int64_t value : {0, 4})
    CHECK_THROWS_WITH_AS(check_range("n", value, 1, 3),
                         ("n must be from 1 to 3, not " + std::to_string(value)).c_str(), Failure);
}

TEST_CASE("a slip of the hand finds the name that was meant") {
  CHECK(nearest("bnid", kKnown) == "bind");
  CHECK(nearest("prox", kKnown) == "proxy");
  CHECK(nearest("loglevel", kKnown) == "log_level");
  CHECK(nearest("drain-ms", kKnown) == "drain_ms");
}

TEST_CASE("a name far from all known ones has no nearest") {
  CHECK_FALSE(nearest("colour", kKnown));
  CHECK_FALSE(nearest("x", kKnown));
  CHECK_FALSE(nearest("", kKnown));
  CHECK_FALSE(nearest(std::string(100'000, 'b'), kKnown));
}

TEST_CASE("a plain word stays as it is") {
  CHECK(word_or_quoted("tcp://127.0.0.1:4301") == "tcp://127.0.0.1:4301");
  CHECK(word_or_quoted("math.add") == "math.add");
}

TEST_CASE("what is not one plain word is quoted") {
  CHECK(word_or_quoted("") == "\"\"");
  CHECK(word_or_quoted("two words") == "\"two words\"");
  CHECK(word_or_quoted("a=b") == "\"a=b\"");
  CHECK(word_or_quoted("say \"hi\" \\o/") == "\"say \\\"hi\\\" \\\\o/\"");
}

TEST_CASE("control characters and bytes outside ASCII never come out raw") {
  CHECK(word_or_quoted("a\nb") == "\"a\\x0ab\"");
  CHECK(word_or_quoted("\x1b[2J") == "\"\\x1b[2J\"");
  CHECK(word_or_quoted(std::string_view("\0", 1)) == "\"\\x00\"");
  CHECK(word_or_quoted("\x7f\xc2\x9b") == "\"\\x7f\\xc2\\x9b\"");
}

TEST_CASE("a long text is cut and says so") {
  CHECK(word_or_quoted(std::string(200, 'a')) == std::string(200, 'a'));
  CHECK(word_or_quoted(std::string(16 << 20, 'a')) == "\"" + std::string(200, 'a') + "...\"");
}

}  // namespace zerosuite::core::text_test
