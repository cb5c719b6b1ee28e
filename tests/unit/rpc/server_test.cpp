#include "rpc/server/server.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

#include "support/server_rig.hpp"

namespace zerosuite::test::server_test {

using namespace std::chrono_literals;

struct Rig : ServerRig {
  Rig() {
    server.method("add", {"a", "b"}, "Adds.", [](int a, int b) { return a + b; });
  }
};

std::string heard_from(const std::function<int()>& method) {
  ServerRig rig;
  rig.server.method("raise", "", [&method] { return method(); });
  return rig.heard(rig.call("raise"));
}

TEST_CASE(
    "a call of zerorpc-python is answered with the bytes zerorpc-python answers, but for the fresh id") {
  Rig rig;
  rig.receive(
      "alice",
      unhex("9382aa6d6573736167655f6964c4206237376465646139353864393431613539623039653938623732656630666"
            "634a17603a3616464920304"));
  REQUIRE(rig.sink.messages.size() == 1);
  std::string answer = rig.sink.messages.front().payload;
  const std::string expected = unhex(
      "9383aa6d6573736167655f6964c4206237376465646161353864393431613539623039653938623732656630666634a17603"
      "ab726573706f6e73655f746fc4206237376465646139353864393431613539623039653938623732656630666634a24f4b91"
      "07");
  REQUIRE(answer.size() == expected.size());
  constexpr std::size_t kIdAt = 15;
  answer.replace(kIdAt, 32, expected, kIdAt, 32);
  CHECK(answer == expected);
}

TEST_CASE("a call of zerorpc-node gets its id back as the string it was") {
  Rig rig;
  rig.receive(
      "alice",
      unhex("9382a17603aa6d6573736167655f6964d92432326231373638622d656562662d343930342d383165302d3030303030"
            "30303030303030a3616464920304"));
  REQUIRE(rig.sink.messages.size() == 1);
  const wire::Event event = rig.sink.messages.front().event();
  CHECK(event.response_to ==
        unhex("d92432326231373638622d656562662d343930342d383165302d303030303030303030303030"));
  CHECK(test::show(event) == "OK [7]");
}

TEST_CASE("an integer id is echoed as it was encoded") {
  Rig rig;
  for (const std::string& id : {unhex("07"), unhex("d1fff0"), unhex("cf00000000000000ff")}) {
    rig.receive("alice", {.id = id, .name = "add", .args = test::list(3, 4)});
    CHECK(rig.heard({"alice", id}) == "OK [7]");
  }
}

TEST_CASE("the answer goes back through every hop the call came by, whatever stood for the delimiter") {
  Rig rig;
  const std::string payload = test::encode({.name = "add", .args = test::list(3, 4)});
  const std::vector<std::vector<std::string_view>> calls{
      {"proxy", "client", "", payload}, {"proxy", "client", "odd", payload}, {"client", payload}, {payload}};
  for (const auto& frames : calls) rig.server.receive(frames);
  REQUIRE(rig.sink.messages.size() == calls.size());
  const auto hops = [&](std::size_t call) {
    std::string text;
    rig.sink.messages[call].peer.for_each([&](std::string_view frame) { text += std::string(frame) + "/"; });
    return text;
  };
  CHECK(hops(0) == "proxy/client/");
  CHECK(hops(1) == "proxy/client/");
  CHECK(hops(2) == "client/");
  CHECK(hops(3) == "");
}

TEST_CASE("a method answers to its bare name and to its name behind the service's") {
  Rig rig;
  CHECK(rig.heard(rig.call("add", 3, 4)) == "OK [7]");
  CHECK(rig.heard(rig.call("math.add", 3, 4)) == "OK [7]");
  CHECK(rig.heard(rig.call("math._zerorpc_name")) == R"(OK ["math"])");
}

TEST_CASE("an unknown method is a NameError whose message is the name as the client wrote it") {
  Rig rig;
  for (const std::string name :
       {"nosuch", "math.nosuch", "math.", "maths.add", "id.add", "math.math.add", ""})
    CHECK(rig.heard(rig.call(name)) ==
          "ERR [\"NameError\", \"" + name + "\", \"NameError: " + name + "\n\"]");
}

TEST_CASE("whatever a method throws, its client gets an ERR") {
  CHECK(heard_from([]() -> int { throw core::Failure("NotHeld", "by you"); }) ==
        "ERR [\"NotHeld\", \"by you\", \"NotHeld: by you\n\"]");
  CHECK(heard_from([]() -> int { throw std::invalid_argument("no"); }) ==
        "ERR [\"ValueError\", \"no\", \"ValueError: no\n\"]");
  CHECK(heard_from([]() -> int { throw std::runtime_error("odd"); }) ==
        "ERR [\"InternalError\", \"odd\", \"InternalError: odd\n\"]");
  CHECK(heard_from([]() -> int {
          throw 42;
        }).starts_with("ERR [\"InternalError\", \"the method threw something"));
}

TEST_CASE("an error's name or text that is not UTF-8 is replaced, so that its client can read the ERR") {
  const std::string text = heard_from([]() -> int { throw core::Failure("Odd", "\xff\xfe"); });
  CHECK(text.starts_with("ERR [\"Odd\", \"(text that is not valid UTF-8)\""));
  const std::string name = heard_from([]() -> int { throw core::Failure("\xff", "odd"); });
  CHECK(name.starts_with("ERR [\"(text that is not valid UTF-8)\", \"odd\""));
}

TEST_CASE("an error's text is cut at 4 KiB, between characters, since it is sent twice") {
  std::string text = "x";
  for (int i = 0; i < 2500; ++i) text += "é";
  const std::string heard = heard_from([text]() -> int { throw core::Failure("Long", text); });
  CHECK(heard.size() < 9000);
  CHECK(heard.find("é…\"") != std::string::npos);
}

TEST_CASE("after a method threw, the next call is served") {
  Rig rig;
  rig.server.method("raise", "", []() -> int { throw 42; });
  rig.call("raise");
  CHECK(rig.server.current_call() == nullptr);
  CHECK(rig.heard(rig.call("add", 3, 4)) == "OK [7]");
}

TEST_CASE("a client below version 2 gets its error as one string, in Python's repr") {
  for (const auto& [message, shown] :
       std::vector<std::pair<std::string, std::string>>{{"plain", "Odd('plain')"},
                                                        {"it's", "Odd(\"it's\")"},
                                                        {"it's \"so\"", "Odd('it\\'s \"so\"')"},
                                                        {"a\\b", "Odd('a\\\\b')"},
                                                        {"a\nb\rc\td", "Odd('a\\nb\\rc\\td')"},
                                                        {"\x01\x1b\x7f", "Odd('\\x01\\x1b\\x7f')"},
                                                        {"caf\xc3\xa9", "Odd('caf\xc3\xa9')"}}) {
    ServerRig rig;
    rig.server.method("raise", "", [&text = message]() -> int { throw core::Failure("Odd", text); });
    for (const std::optional<int> version : {std::optional<int>(), std::optional(1), std::optional(0)})
      CHECK(rig.heard(rig.send({.name = "raise", .version = version})) == "ERR [\"" + shown + "\"]");
  }
}

TEST_CASE("from version 2 on an error has three elements, the last never empty") {
  Rig rig;
  for (const int version : {2, 3, 4})
    CHECK(rig.heard(rig.send({.name = "nosuch", .version = version})) ==
          "ERR [\"NameError\", \"nosuch\", \"NameError: nosuch\n\"]");
}

TEST_CASE("a result that cannot be sent is a TypeError, an OverflowError or a ValueError") {
  ServerRig rig;
  rig.server.method("keys", "", [] { return wire::Value{wire::Dict{{{wire::Integer(1)}, {}}}}; });
  rig.server.method("big", "", [] { return wire::Integer{1} << 64; });
  rig.server.method("text", "", [] { return std::string("\xff"); });
  CHECK(rig.heard(rig.call("keys"))
            .starts_with("ERR [\"TypeError\", \"dict keys must be str or bytes, not int\""));
  CHECK(rig.heard(rig.call("big")).starts_with("ERR [\"OverflowError\", \"Integer value out of range\""));
  CHECK(rig.heard(rig.call("text")).starts_with("ERR [\"ValueError\""));
}

TEST_CASE("an answer above the frame limit is an ERR TooLarge, given at once or later") {
  ServerRig rig({.name = "math", .limits = {.max_frame_bytes = 1000}, .channel = {}});
  test::Kept<std::string> kept;
  rig.server.method("now", "", [] { return std::string(1000, 'x'); });
  rig.server.method("later", "", kept.method());
  CHECK(rig.heard(rig.call("now")).starts_with("ERR [\"TooLarge\", \"the answer has 10"));
  const Channel later = rig.call("later");
  (*kept.reply)(std::string(1000, 'x'));
  CHECK(rig.heard(later).starts_with("ERR [\"TooLarge\""));
  CHECK(rig.server.stats().channels == 0);
  CHECK(rig.server.stats().errors == 2);
}

TEST_CASE("a method sees the call it serves, while it runs") {
  ServerRig rig;
  std::string seen;
  rig.server.method("look", {"n"}, "", [&](int) {
    const rpc::CallInfo& call = *rig.server.current_call();
    seen = std::string(call.method) + " " + std::string(wire::header_text(call.header, "traceparent"));
  });
  wire::Context extra;
  extra.add("traceparent", "00-1-2");
  CHECK(rig.heard(rig.send({.name = "math.look", .args = test::list(1), .extra = &extra})) == "OK [nil]");
  CHECK(seen == "math.look 00-1-2");
  CHECK(rig.server.current_call() == nullptr);
}

TEST_CASE("a second call under an open id of the same connection is dropped; the first goes on") {
  ServerRig rig;
  test::Kept<int> kept;
  rig.server.method("wait", "", kept.method());
  const Channel channel = rig.call("wait");
  rig.receive("alice", {.id = channel.id, .name = "_zerorpc_name"});
  CHECK(rig.heard(channel).empty());
  CHECK(rig.server.stats().drops[static_cast<std::size_t>(rpc::Drop::kDuplicateId)] == 1);
  (*kept.reply)(7);
  CHECK(rig.heard(channel) == "OK [7]");
  rig.receive("alice", {.id = channel.id, .name = "_zerorpc_name"});
  CHECK(rig.heard(channel) == R"(OK ["math"])");
}

TEST_CASE("one id from two connections makes two calls, each with its own heartbeats and answer") {
  ServerRig rig;
  std::vector<rpc::Reply<int>> replies;
  rig.server.method("wait", "", [&](rpc::Reply<int> reply) { replies.push_back(std::move(reply)); });
  const std::string id = rig.fresh_id();
  const Channel alice{"alice", id};
  const Channel bob{"bob", id};
  for (const Channel& channel : {alice, bob}) rig.receive(channel.peer, {.id = id, .name = "wait"});
  rig.tell(alice, "_zpc_hb", 0);
  CHECK(rig.heard(alice) == "_zpc_hb [0]");
  CHECK(rig.heard(bob).empty());
  replies.at(0)(1);
  replies.at(1)(2);
  CHECK(rig.heard(alice) == "OK [1]");
  CHECK(rig.heard(bob) == "OK [2]");
}

TEST_CASE("an event for a channel that is not open is dropped, and opens none") {
  Rig rig;
  const Channel nowhere{"alice", rig.fresh_id()};
  for (const std::string name : {"_zpc_hb", "_zpc_more", "_zpx_cancel", "add"}) rig.tell(nowhere, name, 3, 4);
  CHECK(rig.sink.messages.empty());
  CHECK(rig.server.stats().calls == 0);
  CHECK(rig.server.stats().drops[static_cast<std::size_t>(rpc::Drop::kLate)] == 4);
}

TEST_CASE("a heartbeat, a grant or a cancel that answers to nothing is dropped, and opens no channel") {
  Rig rig;
  for (const std::string name : {"_zpc_hb", "_zpc_more", "_zpx_cancel"})
    CHECK(rig.heard(rig.send({.name = name, .args = test::list(0)})).empty());
  CHECK(rig.server.stats().calls == 0);
  CHECK(rig.server.stats().channels == 0);
}

TEST_CASE("a response_to of nil opens a channel, as if it were absent") {
  Rig rig;
  const Channel channel =
      rig.send({.response_to = test::packed(nullptr), .name = "add", .args = test::list(3, 4)});
  CHECK(rig.heard(channel) == "OK [7]");
}

}  // namespace zerosuite::test::server_test
