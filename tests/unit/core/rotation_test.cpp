// Whose turn it is when clients take turns.
#include "core/rotation.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>

namespace zerosuite::test::rotation_test {

using Rotation = core::Rotation<std::string, std::string>;

// All that waits, in turn.
std::string all_of(Rotation& rotation) {
  std::string all;
  while (!rotation.empty()) all += rotation.pop() + " ";
  return all;
}

TEST_CASE("clients take turns, and each one's things keep their order") {
  Rotation rotation;
  for (const auto* thing : {"a1", "a2", "a3"}) rotation.push("a", std::string(thing));
  for (const auto* thing : {"b1", "b2"}) rotation.push("b", std::string(thing));
  rotation.push("c", "c1");
  CHECK(rotation.size() == 6);
  CHECK(all_of(rotation) == "a1 b1 c1 a2 b2 a3 ");
  CHECK(rotation.size() == 0);
}

TEST_CASE("a client who comes later has the turn behind those who are there, however much they brought") {
  Rotation rotation;
  for (int i = 0; i < 1000; ++i) rotation.push("a", std::string("a"));
  CHECK(rotation.pop() == "a");
  rotation.push("b", "b");
  CHECK(rotation.pop() == "a");
  CHECK(rotation.pop() == "b");
  CHECK(rotation.waiting("a") == 998);
  CHECK(rotation.waiting("b") == 0);
}

TEST_CASE("a client who may not have a turn is passed over, and is next when he may") {
  Rotation rotation;
  rotation.push("a", "a1");
  rotation.push("b", "b1");
  rotation.push("b", "b2");
  const auto not_a = [](const std::string& client) { return client != "a"; };
  CHECK(rotation.pop_if(not_a) == "b1");
  CHECK(rotation.pop_if(not_a) == "b2");
  CHECK_FALSE(rotation.pop_if(not_a).has_value());
  CHECK(rotation.pop() == "a1");
}

TEST_CASE("a thing can be taken out wherever it waits") {
  Rotation rotation;
  const auto first = rotation.push("a", "a1");
  const auto second = rotation.push("a", "a2");
  const auto only = rotation.push("b", "b1");
  rotation.push("a", "a3");
  CHECK(rotation.take("a", second) == "a2");
  CHECK(rotation.take("b", only) == "b1");
  CHECK(rotation.take("a", first) == "a1");
  CHECK(rotation.size() == 1);
  CHECK(all_of(rotation) == "a3 ");
}

TEST_CASE("a rotation that was moved goes on where the other was") {
  Rotation first;
  first.push("a", "a1");
  first.push("a", "a2");
  first.push("b", "b1");
  Rotation second = std::move(first);
  CHECK(all_of(second) == "a1 b1 a2 ");
}

}  // namespace zerosuite::test::rotation_test
