#include "wire/foreign.hpp"

#include <doctest/doctest.h>

#include <list>
#include <set>

#include "unit/wire/coding.hpp"

namespace zerosuite::wire::foreign_test {

struct Spot {
  int x = 0;
  std::string label;
  MSGPACK_DEFINE_MAP(x, label)
};

struct Measure {
  double width = 0;
  std::vector<float> heights;
  MSGPACK_DEFINE(width, heights)
};

struct Route {
  std::vector<Spot> spots;
  std::map<int, int> distances;
  MSGPACK_DEFINE_MAP(spots, distances)
};

TEST_CASE("a program's own struct travels as a map of its fields") {
  const std::string hex = "82a17805a56c6162656ca161";
  CHECK(packed(Spot{5, "a"}) == hex);
  const auto spot = unpacked<Spot>(hex);
  CHECK(spot.x == 5);
  CHECK(spot.label == "a");
  const auto spots = unpacked<std::vector<Spot>>("91" + hex);
  REQUIRE(spots.size() == 1);
  CHECK(packed(spots) == "91" + hex);
  CHECK(packed(std::optional<Spot>()) == "c0");
}

TEST_CASE("floats in a struct stay floats, integral ones too") {
  CHECK(packed(Measure{3.0, {-0.0F, 1.5F}}) == "92cb400800000000000092cb8000000000000000cb3ff8000000000000");
}

TEST_CASE("a value that is no such struct is refused with its type") {
  CHECK(mismatch_of([] { unpacked<Spot>("05"); }) == "must be a structure of other fields, not int");
  CHECK(mismatch_of([] { unpacked<Spot>("81a178a161"); }) == "must be a structure of other fields, not dict");
}

TEST_CASE("a struct that holds what a stock peer cannot read does not leave") {
  CHECK(mismatch_of([] { packed(Spot{5, "\xff"}); }) == "must be valid UTF-8");
  CHECK(packed(Route{{{1, "a"}}, {}}) == "82a573706f74739182a17801a56c6162656ca161a964697374616e63657380");
  CHECK(mismatch_of([] { packed(Route{{}, {{1, 2}}}); }) == "dict keys must be str or bytes, not int");
}

TEST_CASE("a map with other keys than text can be read, but does not leave") {
  using Squares = std::map<int, int>;
  CHECK(unpacked<Squares>("8202040309") == Squares{{2, 4}, {3, 9}});
  CHECK(mismatch_of([] { packed(Squares{{2, 4}}); }) == "dict keys must be str or bytes, not int");
}

TEST_CASE("other containers of the standard library travel as lists") {
  CHECK(packed(std::set<int>{2, 1}) == "920102");
  CHECK(unpacked<std::list<int>>("920102") == std::list<int>{1, 2});
}

TEST_CASE("a struct is read from inside values that only a raised limit let in") {
  std::string bytes = test::from_hex("82a17805a56c6162656c");
  for (int i = 0; i < 100; ++i) bytes += '\x91';
  bytes += '\xc0';
  Reader in(bytes);
  REQUIRE(in.skip({.max_nesting = 200}).size() == bytes.size());
  Reader again(bytes);
  CHECK(mismatch_of([&again] { read<Spot>(again); }) == "must be a structure of other fields, not dict");
}

}  // namespace zerosuite::wire::foreign_test
