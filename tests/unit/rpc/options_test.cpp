#include "rpc/server/options.hpp"

#include <doctest/doctest.h>

#include "support/server_rig.hpp"

namespace zerosuite::test::options_test {

using wire::Dict, wire::Value;

// A server with a method that takes the options "step", "name" and "loud".
struct Rig : test::ServerRig {
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

TEST_CASE("options may be left out one by one, or all of them, or be nil") {
  Rig rig;
  CHECK(rig.made(Dict{{"step", 7}, {"name", "a"}, {"loud", true}}) == "OK [[7, \"a\", true]]");
  CHECK(rig.made(Dict{{"loud", false}, {"step", Value()}}) == "OK [[nil, nil, false]]");
  CHECK(rig.made(Dict{}) == "OK [[nil, nil, nil]]");
  CHECK(rig.made(Value()) == "OK [[nil, nil, nil]]");
}

TEST_CASE("an option may be sent in every way that an argument may") {
  Rig rig;
  CHECK(rig.made(Dict{{wire::Bytes{"step"}, 7.0}, {"name", wire::Bytes{"a"}}}) == "OK [[7, \"a\", nil]]");
}

TEST_CASE("an unknown option is named, with the one that may be meant or with all there are") {
  Rig rig;
  CHECK(rig.refusal(Dict{{"stepp", 7}}) ==
        R"(ERR ["InvalidArgument", "there is no option "stepp"; did you mean 'step'?")");
  CHECK(rig.refusal(Dict{{"name", "a"}, {"xyzzy", 7}}) ==
        R"(ERR ["InvalidArgument", "there is no option "xyzzy"; there are step, name, loud")");
  CHECK(rig.refusal(Dict{{wire::Bytes{"\xff"}, 7}}) ==
        R"(ERR ["InvalidArgument", "there is no option "\xff"; there are step, name, loud")");
}

TEST_CASE("one option sent very often is refused for its number") {
  Rig rig;
  Dict many;
  for (int i = 0; i < 1000; ++i) many.add("step", i);
  CHECK(rig.refusal(many) == R"(ERR ["InvalidArgument", "opts must have at most 3 elements, not 1000")");
}

TEST_CASE("an option of the wrong type or beyond its range is named, and so is a dict that is none") {
  Rig rig;
  CHECK(rig.refusal(Dict{{"step", "7"}}) == R"(ERR ["TypeError", "option 'step' must be int, not str")");
  CHECK(rig.refusal(Dict{{"loud", 1}}) == R"(ERR ["TypeError", "option 'loud' must be bool, not int")");
  CHECK(rig.refusal(Dict{{"name", wire::Bytes{"\xff"}}}) ==
        R"(ERR ["ValueError", "option 'name' must be valid UTF-8")");
  CHECK(rig.refusal(Dict{{"step", ~std::uint64_t{0}}})
            .starts_with(R"(ERR ["OverflowError", "option 'step' must be from)"));
  CHECK(rig.refusal(wire::List{"step"}) ==
        R"(ERR ["TypeError", "make() argument 'opts' must be dict, not list")");
}

}  // namespace zerosuite::test::options_test
