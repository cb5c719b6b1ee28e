#include "rpc/worker/registration.hpp"

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "support/events.hpp"

namespace zerosuite::test::registration_test {

using rpc::Registration;
using wire::Dict;
using wire::Integer;
using wire::List;
using wire::Value;

Value text(const std::string& value) { return {value}; }

Value described(const std::string& doc) { return {Dict{{text("doc"), text(doc)}, {text("args"), {List()}}}}; }

Dict methods_map() { return {{text("add"), described("Adds.")}}; }

// A registration that is taken.
Dict good() {
  return {{text("id"), text("math-1")}, {text("service"), text("math")}, {text("methods"), {methods_map()}}};
}

// The same, but for one field; a nil value leaves it out.
Dict with(const std::string& key, const Value& value) {
  Dict fields = good();
  std::erase_if(fields, [&](const wire::DictEntry& entry) { return entry.key == text(key); });
  if (!value.is_nil()) fields.push_back({text(key), value});
  return fields;
}

Registration read(const Dict& fields) { return rpc::read_introduction(list(Value{fields})); }

// The args of a registration with one field more, given in bytes that pack() might refuse.
std::string args_with(const Dict& fields, const std::string& encoded_key, const std::string& encoded_value) {
  std::string args = "\x91";
  args += static_cast<char>(0x81 + fields.size());
  for (const auto& [key, value] : fields) args += packed(key) + packed(value);
  return args + encoded_key + encoded_value;
}

template <class F>
std::string refusal(F read_it) {
  try {
    read_it();
  } catch (const core::Failure& failure) {
    CHECK(failure.name() == core::kInvalidArgument.name);
    return failure.what();
  }
  return "taken";
}

std::string refusal_of(const Dict& fields) {
  return refusal([&] { read(fields); });
}

std::string refusal_of_methods(const Value& map) {
  return refusal([&] { rpc::read_methods(map); });
}

TEST_CASE("what a worker says of itself is read as it was written") {
  Registration said{.id = "math-1",
                    .service = "math",
                    .version = "1.2",
                    .methods = {},
                    .weight = 50,
                    .max_inflight = 8,
                    .sticky = true,
                    .state = {"0123", "host:/data", "boot:1:7", true}};
  said.key = "secret";
  said.methods.push_back({"add", described("Adds."), false});
  said.methods.push_back({"div", {Dict{{text("idempotent"), {true}}}}, true});
  const Registration heard = rpc::read_introduction(list(rpc::to_value(said)));
  CHECK(heard.id == "math-1");
  CHECK(heard.service == "math");
  CHECK(heard.version == "1.2");
  CHECK(heard.weight == 50);
  CHECK(heard.max_inflight == 8);
  CHECK(heard.sticky);
  CHECK(heard.key == "secret");
  CHECK(heard.state.id == "0123");
  CHECK(heard.state.where == "host:/data");
  CHECK(heard.state.lock == "boot:1:7");
  CHECK(heard.state.shared);
  REQUIRE(heard.methods.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(heard.methods[i].name == said.methods[i].name);
    CHECK(heard.methods[i].description == said.methods[i].description);
    CHECK(heard.methods[i].idempotent == said.methods[i].idempotent);
  }
}

TEST_CASE("what a worker leaves out, or says nil of, is as usual; what nobody knows is passed over") {
  Dict fields = good();
  fields.push_back({text("weight"), {}});
  fields.push_back({text("colour"), text("red")});
  const Registration heard = read(fields);
  CHECK(heard.weight == 100);
  CHECK(heard.max_inflight == 65'536);
  CHECK(heard.version.empty());
  CHECK_FALSE(heard.sticky);
  CHECK(heard.key.empty());
  CHECK(heard.state.id.empty());
  CHECK(rpc::read_introduction(args_with(good(), packed(5), packed(6))).id == "math-1");
}

TEST_CASE("a registration without argument, or with one that is no map, is refused") {
  const auto refused = [](const std::string& args) { return refusal([&] { rpc::read_introduction(args); }); };
  CHECK(refused(list()) == "the registration has no argument");
  CHECK(refused(packed(5)) == "the registration has no argument");
  CHECK(refused("") == "the registration has no argument");
  CHECK(refused(list(5)) == "the registration is no map but of type int");
  CHECK(refused(list(Value{good()}, 5)) == "taken");
  CHECK(refused("\x91\xa1\xff").starts_with("the registration "));
}

TEST_CASE("an id and a service are needed, and are texts of 255 bytes at most") {
  for (const std::string field : {"id", "service"}) {
    CHECK(refusal_of(with(field, {})) == "the registration has no " + field);
    CHECK(refusal_of(with(field, text(""))) == "the registration has no " + field);
    CHECK(refusal_of(with(field, {Integer{5}})) == "the registration's " + field + " is of type int");
    CHECK(refusal_of(with(field, {wire::Bytes{"x"}})) == "the registration's " + field + " is of type bytes");
    CHECK(refusal_of(with(field, text(std::string(255, 'x')))) == "taken");
    CHECK(refusal_of(with(field, text(std::string(256, 'x')))) ==
          "the registration's " + field + " is too long");
  }
}

TEST_CASE("a state has an id, and its texts are UTF-8 of 4096 bytes at most") {
  const auto refused = [](const Dict& state) { return refusal_of(with("state", {state})); };
  CHECK(refused({{text("id"), text("aa")}}) == "taken");
  CHECK(refused({}) == "the registration has no id");
  CHECK(refused({{text("id"), text("aa")}, {text("where"), text(std::string(4097, 'x'))}}) ==
        "the registration's where is too long or not UTF-8");
  CHECK(refused({{text("id"), text("aa")}, {text("shared"), {Integer{1}}}}) ==
        "the registration's shared is of type int");
  CHECK(refusal_of(with("state", text("aa"))) == "the registration's state is of type str");
  CHECK(refusal_of(with("key", {Integer{1}})) == "the registration's key is of type int");
}

TEST_CASE("what a proxy says of itself is read as it was written; one of before says nothing") {
  const rpc::Greeting said{"host, process 7", {"tcp://127.0.0.1:4243", "ipc:///run/front"}};
  const rpc::Greeting heard = rpc::read_greeting(list(rpc::to_value(said)));
  CHECK(heard.name == said.name);
  CHECK(heard.front == said.front);
  for (const std::string& args : {list(), list(5), packed(nullptr), std::string()}) {
    const rpc::Greeting nothing = rpc::read_greeting(args);
    CHECK(nothing.name.empty());
    CHECK(nothing.front.empty());
  }
}

TEST_CASE("an id has no @, which stands in those of upstreams") {
  CHECK(refusal_of(with("id", text("math@tcp://a:1"))) ==
        "the registration's id has an @, which is for upstreams");
}

TEST_CASE("a service's name is of letters, digits, _ and -, begins with no _ and is not the proxy's") {
  for (const std::string name : {"math", "Math2", "a", "a-b_c", "-", "0", "proxy2", "proxy_"}) {
    CAPTURE(name);
    CHECK(rpc::is_service_name(name));
  }
  for (const std::string name :
       {"", "proxy", "_zerorpc", "_", "a.b", ".", "a b", "caf\xc3\xa9", "a/b", "a:b"}) {
    CAPTURE(name);
    CHECK_FALSE(rpc::is_service_name(name));
    if (!name.empty())
      CHECK(refusal_of(with("service", text(name))) == "no service may be called \"" + name + "\"");
  }
  CHECK(rpc::is_service_name(std::string(255, 'x')));
  CHECK_FALSE(rpc::is_service_name(std::string(256, 'x')));
  CHECK_FALSE(rpc::is_service_name(std::string_view("a\0b", 3)));
}

TEST_CASE("weight and max_inflight are counts within their bounds") {
  for (const auto& [field, most] : {std::pair<std::string, std::int64_t>("weight", 1'000'000),
                                    std::pair<std::string, std::int64_t>("max_inflight", 1'000'000'000)}) {
    CAPTURE(field);
    const std::string out = "the registration's " + field + " is not from 1 to " + std::to_string(most);
    for (const Integer bad : {Integer{0}, Integer{-1}, Integer{most} + 1, Integer{1} << 40})
      CHECK(refusal_of(with(field, {bad})) == out);
    for (const Integer good_one : {Integer{1}, Integer{most}})
      CHECK(refusal_of(with(field, {good_one})) == "taken");
    CHECK(refusal_of(with(field, {1.5})) == "the registration's " + field + " is of type float");
    CHECK(refusal_of(with(field, text("5"))) == "the registration's " + field + " is of type str");
  }
}

TEST_CASE("sticky is true or false, and a version is text") {
  CHECK(read(with("sticky", {true})).sticky);
  CHECK_FALSE(read(with("sticky", {false})).sticky);
  CHECK(refusal_of(with("sticky", {Integer{1}})) == "the registration's sticky is of type int");
  CHECK(refusal_of(with("version", {1.5})) == "the registration's version is of type float");
}

TEST_CASE("methods are needed, and are a map from names to maps") {
  CHECK(refusal_of(with("methods", {})) == "the registration has no methods");
  CHECK(refusal_of(with("methods", {List()})) == "the methods are no map but of type list");
  CHECK(refusal_of(with("methods", {Dict()})) == "taken");
  CHECK(refusal_of_methods({Dict{{text("add"), text("Adds.")}}}) == "method add is described by no map");
  CHECK(refusal_of_methods({Dict{{text("add"), {}}}}) == "method add is described by no map");
  CHECK(refusal_of_methods({Dict{{{wire::Bytes{"add"}}, described("")}}}) ==
        "the method map has a key that is not text");
  CHECK(refusal_of_methods({Dict{{text(""), described("")}}}) ==
        "the method map has a name that is empty or too long");
  CHECK(refusal_of_methods({Dict{{text(std::string(256, 'x')), described("")}}}) ==
        "the method map has a name that is empty or too long");
  CHECK(refusal_of_methods({Dict{{text(std::string(255, 'x')), described("")}}}) == "taken");
}

TEST_CASE("methods that begin with _ are the server's own and are not offered") {
  const auto methods = rpc::read_methods({Dict{
      {text("_zerorpc_inspect"), described("")}, {text("add"), described("")}, {text("_x"), described("")}}});
  REQUIRE(methods.size() == 1);
  CHECK(methods.front().name == "add");
}

TEST_CASE("a method is relief when its description says true") {
  const Value method{Dict{{text("relief"), {true}}}}, other{Dict{}};
  CHECK(rpc::read_methods({Dict{{text("release"), method}}}).front().relief);
  CHECK_FALSE(rpc::read_methods({Dict{{text("add"), other}}}).front().relief);
}

TEST_CASE("a method is idempotent when its description says true") {
  const auto idempotent = [](const Value& flag) {
    const Value method{Dict{{text("idempotent"), flag}}};
    return rpc::read_methods({Dict{{text("add"), method}}}).front().idempotent;
  };
  CHECK(idempotent({true}));
  CHECK_FALSE(idempotent({false}));
  CHECK_FALSE(idempotent({}));
  CHECK(refusal_of_methods({Dict{{text("add"), {Dict{{text("idempotent"), {Integer{1}}}}}}}}) ==
        "the registration's idempotent is of type int");
}

TEST_CASE("a description that clients could not be shown is refused") {
  for (const Value& bad : {Value{Dict{{{Integer{1}}, {}}}}, Value{List{{Dict{{{1.5}, {}}}}}},
                           Value{std::string("\xff")}, Value{Dict{{text("\xff"), {}}}}}) {
    CAPTURE(show(bad));
    const Value description{Dict{{text("args"), bad}}};
    CHECK(refusal_of_methods({Dict{{text("add"), description}}}).starts_with("the method map: "));
  }
  CHECK(refusal_of_methods({Dict{{{Integer{1}}, described("")}}}).starts_with("the method map"));
  for (const std::string bad : {"\x81\x01\xc0", "\xa1\xff"}) {
    const std::string map = "\x81" + packed("add") + "\x81" + packed("doc") + bad;
    CHECK(refusal([&] {
            rpc::read_introduction(args_with(with("methods", {}), packed("methods"), map));
          }).starts_with("the "));
  }
}

TEST_CASE("ten thousand methods are taken, and one more is refused") {
  Dict map;
  for (int i = 0; i < 10'000; ++i) map.push_back({text("m" + std::to_string(i)), {Dict()}});
  CHECK(rpc::read_methods({map}).size() == 10'000);
  map.push_back({text("more"), {Dict()}});
  CHECK(refusal_of_methods({map}) == "there are more than 10000 methods");
}

TEST_CASE(
    "what a proxy and a worker say to each other are events of no channel, each with an id of its own") {
  wire::IdSource ids;
  const net::Frame first = rpc::control_event(ids, rpc::kReady, {text("x"), {Integer{5}}});
  const net::Frame second = rpc::control_event(ids, rpc::kWorkerHeartbeat);
  const auto decoded = [](const net::Frame& frame) {
    return wire::decode({frame.data<char>(), frame.size()}, {});
  };
  CHECK(show(decoded(first)) == R"(_zpx_ready ["x", 5])");
  CHECK(show(decoded(second)) == "_zpx_hb []");
  CHECK(decoded(first).response_to.empty());
  CHECK(decoded(first).id != decoded(second).id);
}

}  // namespace zerosuite::test::registration_test
