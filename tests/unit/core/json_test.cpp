#include "core/json.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace zerosuite::core::json_test {

TEST_CASE("an object has its entries in the order they were added") {
  CHECK(Json().empty());
  const std::vector<Json> steps{Json().add("owner", "ann"), Json()};
  const Json json = Json().add("max", 9).add("at", Json().add("key", "a")).add_list("cycle", steps);
  CHECK_FALSE(json.empty());
  CHECK(json.text() == R"({"max":9,"at":{"key":"a"},"cycle":[{"owner":"ann"},{}]})");
}

TEST_CASE("quotes, backslashes and control characters in a text are escaped") {
  CHECK(Json().add("owner", "a \"b\" \\ {\n").text() == R"({"owner":"a \"b\" \\ {\u000a"})");
}

}  // namespace zerosuite::core::json_test
