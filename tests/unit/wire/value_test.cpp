#include "wire/value.hpp"

#include <doctest/doctest.h>

namespace zerosuite::wire::value_test {
namespace {

Value text(std::string_view value) { return {std::string(value)}; }

TEST_CASE("text is what a str or bytes holds, and nothing else") {
  CHECK(text_of(text("a")) == "a");
  CHECK(text_of(Value{Bytes{"b"}}) == "b");
  CHECK(text_of(text("")) == "");
  CHECK_FALSE(text_of(Value()));
  CHECK_FALSE(text_of(Value{Integer{7}}));
  CHECK_FALSE(text_of(Value{Ext{1, "c"}}));
}

TEST_CASE("a value is found under its key, whether the key is a str or bytes") {
  const Dict dict{{text("a"), {Integer{1}}}, {{Bytes{"b"}}, {Integer{2}}}, {text("c"), {}}};
  REQUIRE(find(dict, "a") != nullptr);
  CHECK(*find(dict, "a") == Value{Integer{1}});
  REQUIRE(find(dict, "b") != nullptr);
  CHECK(*find(dict, "b") == Value{Integer{2}});
  REQUIRE(find(dict, "c") != nullptr);
  CHECK(find(dict, "c")->is_nil());
}

TEST_CASE("the first of two values under one key is found") {
  const Dict dict{{text("a"), {Integer{1}}}, {text("a"), {Integer{2}}}};
  CHECK(find(dict, "a") == &dict.front().value);
}

TEST_CASE("a key that is not there, or is no text, is not found") {
  const Dict dict{{{Integer{1}}, {}}, {{}, {}}};
  CHECK(find(dict, "1") == nullptr);
  CHECK(find(dict, "") == nullptr);
  CHECK(find({}, "a") == nullptr);
}

}  // namespace
}  // namespace zerosuite::wire::value_test
