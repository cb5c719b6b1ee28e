#include "rpc/server/method.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

#include "support/server_rig.hpp"

namespace zerosuite::test::method_test {

wire::Value text(const std::string& value) { return {value}; }

struct Rig : ServerRig {
  Rig() {
    using Optional = std::optional<int>;
    server.method("none", "", [] { return 0; });
    server.method("one", {"a"}, "", [](int a) { return a; });
    server.method("two", {"a", "b"}, "", [](int a, int b) { return a * 10 + b; });
    server.method("three", {"a", "b", "c"}, "", [](int a, int b, int c) { return a + b + c; });
    server.method("greet", {"name", {"greeting", text("Hello")}, {"mark", text("!")}}, "",
                  [](const std::string& name, const std::string& greeting, const std::string& mark) {
                    return greeting + " " + name + mark;
                  });
    server.method("maybe", {"a", "b", "c"}, "", [](int a, Optional b, Optional c) {
      return std::to_string(a) + "," + (b ? std::to_string(*b) : "-") + "," + (c ? std::to_string(*c) : "-");
    });
    server.method("inner", {"a", "b"}, "", [](Optional a, int b) { return a.value_or(0) + b; });
  }
  /// The message of the TypeError that the call gets.
  template <class... A>
  std::string type_error(const std::string& method, const A&... args) {
    const std::string heard = this->heard(call(method, args...));
    const std::string start = "ERR [\"TypeError\", \"";
    if (!heard.starts_with(start)) return heard;
    return heard.substr(start.size(), heard.find("\", ", start.size()) - start.size());
  }
};

TEST_CASE_FIXTURE(Rig, "arguments that are missing are named as Python names them") {
  CHECK(type_error("one") == "one() missing 1 required positional argument: 'a'");
  CHECK(type_error("two", 1) == "two() missing 1 required positional argument: 'b'");
  CHECK(type_error("two") == "two() missing 2 required positional arguments: 'a' and 'b'");
  CHECK(type_error("three") == "three() missing 3 required positional arguments: 'a', 'b', and 'c'");
  CHECK(type_error("greet") == "greet() missing 1 required positional argument: 'name'");
  CHECK(type_error("maybe") == "maybe() missing 1 required positional argument: 'a'");
  CHECK(type_error("inner") == "inner() missing 2 required positional arguments: 'a' and 'b'");
}

TEST_CASE_FIXTURE(Rig, "arguments that are too many are counted as Python counts them") {
  CHECK(type_error("none", 1) == "none() takes 0 positional arguments but 1 was given");
  CHECK(type_error("one", 1, 2) == "one() takes 1 positional argument but 2 were given");
  CHECK(type_error("two", 1, 2, 3) == "two() takes 2 positional arguments but 3 were given");
  CHECK(type_error("greet", "a", "b", "c", "d") ==
        "greet() takes from 1 to 3 positional arguments but 4 were given");
}

TEST_CASE_FIXTURE(Rig, "an error about arguments names the method without the service it was called under") {
  CHECK(type_error("math.one") == "one() missing 1 required positional argument: 'a'");
}

TEST_CASE_FIXTURE(
    Rig, "an argument of another type is refused by its name, and so is one out of range or not UTF-8") {
  CHECK(type_error("two", 1, "2") == "two() argument 'b' must be int, not str");
  CHECK(type_error("two", nullptr, 2) == "two() argument 'a' must be int, not NoneType");
  CHECK(type_error("two", 1.5, 2) == "two() argument 'a' must be int, not float");
  CHECK(heard(call("one", std::int64_t{1} << 40))
            .starts_with(
                "ERR [\"OverflowError\", \"one() argument 'a' must be from -2147483648 to 2147483647"));
  CHECK(heard(call("greet", wire::Bytes{"\xff"}))
            .starts_with("ERR [\"ValueError\", \"greet() argument 'name' must be valid UTF-8"));
}

TEST_CASE_FIXTURE(Rig, "an integral float is an integer, and bytes are text") {
  CHECK(heard(call("two", 3.0, 4)) == "OK [34]");
  CHECK(heard(call("greet", wire::Bytes{"you"})) == R"(OK ["Hello you!"])");
}

TEST_CASE_FIXTURE(Rig, "what is left out at the end has its default, and so has nil in its place") {
  CHECK(heard(call("greet", "you")) == R"(OK ["Hello you!"])");
  CHECK(heard(call("greet", "you", "Bye")) == R"(OK ["Bye you!"])");
  CHECK(heard(call("greet", "you", nullptr, "?")) == R"(OK ["Hello you?"])");
  CHECK(heard(call("greet", "you", nullptr, nullptr)) == R"(OK ["Hello you!"])");
}

TEST_CASE_FIXTURE(Rig, "trailing optionals may be left out or nil") {
  CHECK(heard(call("maybe", 1)) == R"(OK ["1,-,-"])");
  CHECK(heard(call("maybe", 1, 2)) == R"(OK ["1,2,-"])");
  CHECK(heard(call("maybe", 1, nullptr, 3)) == R"(OK ["1,-,3"])");
}

TEST_CASE_FIXTURE(Rig, "an optional with required arguments behind it may be nil but not left out") {
  CHECK(heard(call("inner", nullptr, 2)) == "OK [2]");
  CHECK(heard(call("inner", 1, 2)) == "OK [3]");
}

TEST_CASE_FIXTURE(Rig, "nil for the list of arguments means none; anything else but a list is a TypeError") {
  CHECK(heard(send({.name = "none", .args = packed(nullptr)})) == "OK [0]");
  CHECK(heard(send({.name = "one", .args = packed(nullptr)})).starts_with("ERR [\"TypeError\""));
  for (const auto& [args, kind] : std::vector<std::pair<std::string, std::string>>{
           {packed(1), "int"},
           {packed("ab"), "str"},
           {packed(std::map<std::string, int>{{"a", 1}}), "dict"}}) {
    CHECK(heard(send({.name = "two", .args = args}))
              .starts_with("ERR [\"TypeError\", \"two() argument after * must be an iterable, not " + kind));
  }
}

TEST_CASE_FIXTURE(Rig, "the arguments are taken in their order") {
  CHECK(heard(call("two", 1, 2)) == "OK [12]");
}

TEST_CASE_FIXTURE(ServerRig, "a method may take and give any value") {
  server.method("echo", {"value"}, "", [](wire::Value value) { return value; });
  const wire::Value value{
      wire::List{{wire::Integer(-1)}, {}, {wire::Bytes{"b"}}, {wire::Dict{{text("k"), {true}}}}}};
  CHECK(heard(call("echo", value)) == R"(OK [[-1, nil, b"b", {"k": true}]])");
}

TEST_CASE_FIXTURE(ServerRig, "a list that is returned is one value") {
  server.method("pair", "", [] { return std::tuple(1, std::vector<int>{2, 3}); });
  CHECK(heard(call("pair")) == "OK [[1, [2, 3]]]");
}

TEST_CASE_FIXTURE(ServerRig, "a method that returns nothing answers nil") {
  server.method("quiet", "", [] {});
  CHECK(heard(call("quiet")) == "OK [nil]");
}

TEST_CASE_FIXTURE(Rig, "a name can be registered once") {
  CHECK_THROWS_AS(server.method("one", "", [] {}), std::logic_error);
}

TEST_CASE_FIXTURE(ServerRig,
                  "an argument without a default behind one that has one is refused when it is registered") {
  CHECK_THROWS_AS(
      server.method("f", {{"a", {wire::Integer(1)}}, "b"}, "", [](int a, int b) { return a + b; }),
      std::logic_error);
}

}  // namespace zerosuite::test::method_test
