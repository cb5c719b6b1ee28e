#include "core/json.hpp"

#include <doctest/doctest.h>

namespace zerosuite::core::json_test {
namespace {

TEST_CASE("a message loses the object at its end, and nothing else") {
  CHECK(without_json(with_json("not now", Json().add("retry_after_ms", 200))) == "not now");
  CHECK(without_json(with_json("not now", Json().add("cycle", Json().add("owner", "a b {\"c\"}")))) ==
        "not now");
  CHECK(without_json("not now") == "not now");
  CHECK(without_json("a set {a} of one") == "a set {a} of one");
  CHECK(without_json("{\"alone\":1}") == "{\"alone\":1}");
}

}  // namespace
}  // namespace zerosuite::core::json_test
