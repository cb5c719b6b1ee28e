#include "wire/value.hpp"

#include <doctest/doctest.h>

namespace zerosuite::wire::value_test {

static_assert(!std::is_constructible_v<Value, const void*>, "no pointer becomes a bool");

TEST_CASE("a C++ value becomes the wire's of its kind") {
  CHECK(Value().is_nil());
  CHECK(*Value(true).as<bool>());
  CHECK(*Value(-7).as<Integer>() == -7);
  CHECK(*Value(~std::uint64_t{0}).as<Integer>() == ~std::uint64_t{0});
  CHECK(*Value(std::chrono::milliseconds(250)).as<Integer>() == 250);
  CHECK(*Value(1.0).as<double>() == 1.0);
  CHECK(*Value("a").as<std::string>() == "a");
  CHECK(*Value(std::string_view("b")).as<std::string>() == "b");
  CHECK(*Value(std::optional("c")).as<std::string>() == "c");
  CHECK(Value(std::optional<int>()).is_nil());
  CHECK(*Value(List{1, "x"}).as<List>() == List{Value(1), Value("x")});
}

TEST_CASE("a dict keeps the order in which its entries were added") {
  const Dict dict = Dict{{"b", 1}}.add("a", List{}).add("b", 2);
  CHECK(dict == Dict{{Value("b"), Value(1)}, {Value("a"), Value(List())}, {Value("b"), Value(2)}});
}

TEST_CASE("text is what a str or bytes holds, and nothing else") {
  CHECK(text_of("a") == "a");
  CHECK(text_of(Value(Bytes{"b"})) == "b");
  CHECK(text_of("") == "");
  CHECK_FALSE(text_of(Value()));
  CHECK_FALSE(text_of(7));
  CHECK_FALSE(text_of(Ext{1, "c"}));
}

TEST_CASE("a value is found under its key, whether the key is a str or bytes") {
  const Dict dict{{"a", 1}, {Bytes{"b"}, 2}, {"c", {}}};
  REQUIRE(find(dict, "a") != nullptr);
  CHECK(*find(dict, "a") == Value(1));
  REQUIRE(find(dict, "b") != nullptr);
  CHECK(*find(dict, "b") == Value(2));
  REQUIRE(find(dict, "c") != nullptr);
  CHECK(find(dict, "c")->is_nil());
}

TEST_CASE("the first of two values under one key is found") {
  const Dict dict{{"a", 1}, {"a", 2}};
  CHECK(find(dict, "a") == &dict.front().value);
}

TEST_CASE("a key that is not there, or is no text, is not found") {
  const Dict dict{{1, {}}, {{}, {}}};
  CHECK(find(dict, "1") == nullptr);
  CHECK(find(dict, "") == nullptr);
  CHECK(find({}, "a") == nullptr);
}

}  // namespace zerosuite::wire::value_test
