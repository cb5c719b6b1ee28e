#include "rpc/server/server.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

#include "support/golden.hpp"
#include "support/server_rig.hpp"

namespace zerosuite::test::server_test {

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

TEST_CASE_FIXTURE(
    Rig, "a call of zerorpc-python is answered with the bytes zerorpc-python answers, but for the fresh id") {
  receive(
      "alice",
      from_hex("9382aa6d6573736167655f6964c4206237376465646139353864393431613539623039653938623732656630666"
               "634a17603a3616464920304"));
  REQUIRE(sink.messages.size() == 1);
  std::string answer = sink.messages.front().payload;
  const std::string expected = from_hex(
      "9383aa6d6573736167655f6964c4206237376465646161353864393431613539623039653938623732656630666634a17603"
      "ab726573706f6e73655f746fc4206237376465646139353864393431613539623039653938623732656630666634a24f4b91"
      "07");
  REQUIRE(answer.size() == expected.size());
  constexpr std::size_t kIdAt = 15;
  answer.replace(kIdAt, 32, expected, kIdAt, 32);
  CHECK(answer == expected);
}

TEST_CASE_FIXTURE(Rig, "a call of zerorpc-node gets its id back as the string it was") {
  receive("alice",
          from_hex(
              "9382a17603aa6d6573736167655f6964d92432326231373638622d656562662d343930342d383165302d3030303030"
              "30303030303030a3616464920304"));
  REQUIRE(sink.messages.size() == 1);
  const wire::Event event = sink.messages.front().event();
  CHECK(event.response_to ==
        from_hex("d92432326231373638622d656562662d343930342d383165302d303030303030303030303030"));
  CHECK(show(event) == "OK [7]");
}

TEST_CASE_FIXTURE(Rig, "an integer id is echoed as it was encoded") {
  for (const std::string& id : {from_hex("07"), from_hex("d1fff0"), from_hex("cf00000000000000ff")}) {
    receive("alice", {.id = id, .name = "add", .args = list(3, 4)});
    CHECK(heard({"alice", id}) == "OK [7]");
  }
}

TEST_CASE_FIXTURE(
    Rig, "the answer goes back through every hop the call came by, whatever stood for the delimiter") {
  const std::string payload = encode({.name = "add", .args = list(3, 4)});
  const std::vector<std::vector<std::string_view>> calls{
      {"proxy", "client", "", payload}, {"proxy", "client", "odd", payload}, {"client", payload}, {payload}};
  for (const auto& frames : calls) server.receive(frames);
  REQUIRE(sink.messages.size() == calls.size());
  const auto hops = [&](std::size_t call) {
    std::string text;
    sink.messages[call].peer.for_each([&](std::string_view frame) { text += std::string(frame) + "/"; });
    return text;
  };
  CHECK(hops(0) == "proxy/client/");
  CHECK(hops(1) == "proxy/client/");
  CHECK(hops(2) == "client/");
  CHECK(hops(3) == "");
}

TEST_CASE_FIXTURE(Rig, "a method answers to its bare name and to its name behind the service's") {
  CHECK(heard(call("add", 3, 4)) == "OK [7]");
  CHECK(heard(call("math.add", 3, 4)) == "OK [7]");
  CHECK(heard(call("math._zerorpc_name")) == R"(OK ["math"])");
}

TEST_CASE_FIXTURE(Rig, "an unknown method is a NameError whose message is the name as the client wrote it") {
  for (const std::string name :
       {"nosuch", "math.nosuch", "math.", "maths.add", "id.add", "math.math.add", ""})
    CHECK(heard(call(name)) == "ERR [\"NameError\", \"" + name + "\", \"NameError: " + name + "\n\"]");
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

TEST_CASE_FIXTURE(Rig, "after a method threw, the next call is served") {
  server.method("raise", "", []() -> int { throw 42; });
  call("raise");
  CHECK(server.current_call() == nullptr);
  CHECK(heard(call("add", 3, 4)) == "OK [7]");
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

TEST_CASE_FIXTURE(Rig, "from version 2 on an error has three elements, the last never empty") {
  for (const int version : {2, 3, 4})
    CHECK(heard(send({.name = "nosuch", .version = version})) ==
          "ERR [\"NameError\", \"nosuch\", \"NameError: nosuch\n\"]");
}

TEST_CASE_FIXTURE(ServerRig,
                  "a result that cannot be sent is a TypeError, an OverflowError or a ValueError") {
  server.method("keys", "", [] { return wire::Value{wire::Dict{{{wire::Integer(1)}, {}}}}; });
  server.method("big", "", [] { return wire::Integer{1} << 64; });
  server.method("text", "", [] { return std::string("\xff"); });
  CHECK(heard(call("keys")).starts_with("ERR [\"TypeError\", \"dict keys must be str or bytes, not int\""));
  CHECK(heard(call("big")).starts_with("ERR [\"OverflowError\", \"Integer value out of range\""));
  CHECK(heard(call("text")).starts_with("ERR [\"ValueError\""));
}

TEST_CASE("an answer above the frame limit is an ERR TooLarge, given at once or later") {
  ServerRig rig({.name = "math", .limits = {.max_frame_bytes = 1000}, .channel = {}});
  Kept<std::string> kept;
  rig.server.method("now", "", [] { return std::string(1000, 'x'); });
  rig.server.method("later", "", kept.method());
  CHECK(rig.heard(rig.call("now")).starts_with("ERR [\"TooLarge\", \"the answer has 10"));
  const Channel later = rig.call("later");
  (*kept.reply)(std::string(1000, 'x'));
  CHECK(rig.heard(later).starts_with("ERR [\"TooLarge\""));
  CHECK(rig.server.stats().channels == 0);
  CHECK(rig.server.stats().errors == 2);
}

TEST_CASE_FIXTURE(ServerRig, "a method sees the call it serves, while it runs") {
  std::string seen;
  server.method("look", {"n"}, "", [&](int) {
    const rpc::CallInfo& call = *server.current_call();
    seen = std::string(call.method) + " " + std::string(wire::header_text(call.header, "traceparent"));
  });
  wire::Context extra;
  extra.add("traceparent", "00-1-2");
  CHECK(heard(send({.name = "math.look", .args = list(1), .extra = &extra})) == "OK [nil]");
  CHECK(seen == "math.look 00-1-2");
  CHECK(server.current_call() == nullptr);
}

TEST_CASE_FIXTURE(ServerRig,
                  "a second call under an open id of the same connection is dropped; the first goes on") {
  Kept<int> kept;
  server.method("wait", "", kept.method());
  const Channel channel = call("wait");
  receive("alice", {.id = channel.id, .name = "_zerorpc_name"});
  CHECK(heard(channel).empty());
  CHECK(server.stats().drops[static_cast<std::size_t>(rpc::Drop::kDuplicateId)] == 1);
  (*kept.reply)(7);
  CHECK(heard(channel) == "OK [7]");
  receive("alice", {.id = channel.id, .name = "_zerorpc_name"});
  CHECK(heard(channel) == R"(OK ["math"])");
}

TEST_CASE_FIXTURE(ServerRig,
                  "one id from two connections makes two calls, each with its own heartbeats and answer") {
  std::vector<rpc::Reply<int>> replies;
  server.method("wait", "", [&](rpc::Reply<int> reply) { replies.push_back(std::move(reply)); });
  const std::string id = fresh_id();
  const Channel alice{"alice", id};
  const Channel bob{"bob", id};
  for (const Channel& channel : {alice, bob}) receive(channel.peer, {.id = id, .name = "wait"});
  tell(alice, "_zpc_hb", 0);
  CHECK(heard(alice) == "_zpc_hb [0]");
  CHECK(heard(bob).empty());
  replies.at(0)(1);
  replies.at(1)(2);
  CHECK(heard(alice) == "OK [1]");
  CHECK(heard(bob) == "OK [2]");
}

TEST_CASE_FIXTURE(Rig, "an event for a channel that is not open is dropped, and opens none") {
  const Channel nowhere{"alice", fresh_id()};
  for (const std::string name : {"_zpc_hb", "_zpc_more", "_zpx_cancel", "add"}) tell(nowhere, name, 3, 4);
  CHECK(sink.messages.empty());
  CHECK(server.stats().calls == 0);
  CHECK(server.stats().drops[static_cast<std::size_t>(rpc::Drop::kLate)] == 4);
}

TEST_CASE_FIXTURE(
    Rig, "a heartbeat, a grant or a cancel that answers to nothing is dropped, and opens no channel") {
  for (const std::string name : {"_zpc_hb", "_zpc_more", "_zpx_cancel"})
    CHECK(heard(send({.name = name, .args = list(0)})).empty());
  CHECK(server.stats().calls == 0);
  CHECK(server.stats().channels == 0);
}

TEST_CASE_FIXTURE(Rig, "a response_to of nil opens a channel, as if it were absent") {
  const Channel channel = send({.response_to = packed(nullptr), .name = "add", .args = list(3, 4)});
  CHECK(heard(channel) == "OK [7]");
}

}  // namespace zerosuite::test::server_test
