#include "ops/config/text.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace zerosuite::ops::ops_text_test {
namespace {

const std::vector<std::string> kKnown = {"bind", "proxy", "log_level", "drain_ms"};

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

}  // namespace
}  // namespace zerosuite::ops::ops_text_test
