#include "rpc/server/builtins.hpp"

#include <doctest/doctest.h>

#include "support/server_rig.hpp"

namespace zerosuite::test::builtins_test {

struct Rig : ServerRig {
  Rig() {
    server.method("boom", "", [] {});
    server.method("add", {"a", {"b", wire::Value{wire::Integer(2)}}}, "Add two numbers.",
                  [](int a, int b) { return a + b; });
    server.method("_hidden", "Not for lists.", [] {});
    server.method("later", {"a"}, "Optional.", [](std::optional<int> a) { return a; });
  }
};

TEST_CASE_FIXTURE(Rig, "_zerorpc_list names the public methods in order") {
  CHECK(heard(call("_zerorpc_list")) == R"(OK [["add", "boom", "later"]])");
}

TEST_CASE_FIXTURE(Rig, "_zerorpc_name is the service's name") {
  CHECK(heard(call("_zerorpc_name")) == R"(OK ["math"])");
}

TEST_CASE_FIXTURE(Rig, "_zerorpc_ping answers pong and the service's name") {
  CHECK(heard(call("_zerorpc_ping")) == R"(OK [["pong", "math"]])");
}

TEST_CASE_FIXTURE(Rig, "_zerorpc_help is a method's documentation, nil when it has none") {
  CHECK(heard(call("_zerorpc_help", "add")) == R"(OK ["Add two numbers."])");
  CHECK(heard(call("_zerorpc_help", "boom")) == "OK [nil]");
}

TEST_CASE_FIXTURE(Rig, "_zerorpc_args lists names and defaults in the shape of Python 2's getargspec") {
  CHECK(heard(call("_zerorpc_args", "add")) == R"(OK [[["a", "b"], nil, nil, [2]]])");
  CHECK(heard(call("_zerorpc_args", "boom")) == "OK [[[], nil, nil, nil]]");
  CHECK(heard(call("_zerorpc_args", "later")) == R"(OK [[["a"], nil, nil, [nil]]])");
}

TEST_CASE_FIXTURE(Rig,
                  "_zerorpc_inspect maps each method to its arguments and documentation, sorted by name") {
  CHECK(heard(call("_zerorpc_inspect")) ==
        R"(OK [{"name": "math", "methods": {)"
        R"("add": {"args": [{"name": "a"}, {"name": "b", "default": 2}], "doc": "Add two numbers."}, )"
        R"("boom": {"args": [], "doc": nil}, )"
        R"("later": {"args": [{"name": "a", "default": nil}], "doc": "Optional."}}}])");
}

TEST_CASE_FIXTURE(Rig, "help and args of an unknown or hidden method are a KeyError with Python's quotes") {
  for (const std::string builtin : {"_zerorpc_help", "_zerorpc_args"}) {
    CHECK(heard(call(builtin, "nope")) == "ERR [\"KeyError\", \"'nope'\", \"KeyError: 'nope'\n\"]");
    CHECK(heard(call(builtin, "_hidden")).starts_with("ERR [\"KeyError\", \"'_hidden'\""));
  }
}

TEST_CASE("a query is described as idempotent, and another method is not") {
  ServerRig rig;
  rig.server.query("ask", "", [] { return 1; });
  rig.server.query("look", {"a"}, "", [](int a) { return a; });
  rig.server.method("do", "", [] {});
  CHECK(rig.heard(rig.call("_zerorpc_inspect")) ==
        R"(OK [{"name": "math", "methods": {)"
        R"("ask": {"args": [], "doc": nil, "idempotent": true}, )"
        R"("do": {"args": [], "doc": nil}, )"
        R"("look": {"args": [{"name": "a"}], "doc": nil, "idempotent": true}}}])");
}

}  // namespace zerosuite::test::builtins_test
