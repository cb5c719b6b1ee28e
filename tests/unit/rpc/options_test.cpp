#include "rpc/server/options.hpp"

#include <doctest/doctest.h>

#include "support/server_rig.hpp"

namespace zerosuite::test::options_test {

using wire::Dict, wire::Value;

// A server with a method that takes the options "step", "name" and "loud".
struct Rig : ServerRig {
  Rig() {
    server.method("make", {{"opts", Value()}}, "", [](const rpc::Options& opts) {
      opts.expect({"step", "name", "loud"});
      return wire::List{opts.integer("step"), opts.text("name"), opts.flag("loud")};
    });
  }

  std::string made(const Value& opts) { return heard(call("make", opts)); }
  /// Name and message of the error.
  std::string refusal(const Value& opts) {
    const std::string answer = made(opts);
    return answer.substr(0, answer.find(", \"", answer.find(", \"") + 1));
  }
};

TEST_CASE_FIXTURE(Rig, "options may be left out one by one, or all of them, or be nil") {
  CHECK(made(Dict{{"step", 7}, {"name", "a"}, {"loud", true}}) == "OK [[7, \"a\", true]]");
  CHECK(made(Dict{{"loud", false}, {"step", Value()}}) == "OK [[nil, nil, false]]");
  CHECK(made(Dict{}) == "OK [[nil, nil, nil]]");
  CHECK(made(Value()) == "OK [[nil, nil, nil]]");
}

TEST_CASE_FIXTURE(Rig, "an option may be sent in every way that an argument may") {
  CHECK(made(Dict{{wire::Bytes{"step"}, 7.0}, {"name", wire::Bytes{"a"}}}) == "OK [[7, \"a\", nil]]");
}

TEST_CASE_FIXTURE(Rig, "an unknown option is named, with the one that may be meant or with all there are") {
  CHECK(refusal(Dict{{"stepp", 7}}) ==
        R"(ERR ["InvalidArgument", "there is no option "stepp"; did you mean 'step'?")");
  CHECK(refusal(Dict{{"name", "a"}, {"xyzzy", 7}}) ==
        R"(ERR ["InvalidArgument", "there is no option "xyzzy"; there are step, name, loud")");
  CHECK(refusal(Dict{{wire::Bytes{"\xff"}, 7}}) ==
        R"(ERR ["InvalidArgument", "there is no option "\xff"; there are step, name, loud")");
}

TEST_CASE_FIXTURE(Rig, "one option sent very often is refused for its number") {
  Dict many;
  for (int i = 0; i < 1000; ++i) many.add("step", i);
  CHECK(refusal(many) == R"(ERR ["InvalidArgument", "opts must have at most 3 elements, not 1000")");
}

TEST_CASE_FIXTURE(Rig,
                  "an option of the wrong type or beyond its range is named, and so is a dict that is none") {
  CHECK(refusal(Dict{{"step", "7"}}) == R"(ERR ["TypeError", "option 'step' must be int, not str")");
  CHECK(refusal(Dict{{"loud", 1}}) == R"(ERR ["TypeError", "option 'loud' must be bool, not int")");
  CHECK(refusal(Dict{{"name", wire::Bytes{"\xff"}}}) ==
        R"(ERR ["ValueError", "option 'name' must be valid UTF-8")");
  CHECK(refusal(Dict{{"step", ~std::uint64_t{0}}})
            .starts_with(R"(ERR ["OverflowError", "option 'step' must be from)"));
  CHECK(refusal(wire::List{"step"}) ==
        R"(ERR ["TypeError", "make() argument 'opts' must be dict, not list")");
}

}  // namespace zerosuite::test::options_test
