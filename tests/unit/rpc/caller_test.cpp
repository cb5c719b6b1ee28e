#include "rpc/client/caller.hpp"

#include <doctest/doctest.h>

#include "support/caller_rig.hpp"

namespace zerosuite::test::caller_test {

using namespace std::chrono_literals;

// Not inlined, or g++ 12 under UBSan believes that error() reads an outcome that it sees to be fine.
template <class R>
[[gnu::noinline]] std::string told(const rpc::Outcome<R>& outcome) {
  return outcome.ok() ? "fine" : test::describe(outcome.error());
}

// What a call that expects an R makes of one reply event.
template <class R>
std::string outcome(const std::string& event, const std::string& args) {
  CallerRig rig;
  std::string text;
  const auto call = rig.start("x", rpc::listen<R>([&](auto result) { text = told(result); }));
  rig.reply(call, event, args);
  return text;
}

TEST_CASE("a call leaves as one event with a fresh id, version 3 and its timeout") {
  CallerRig rig;
  rig.start("add", 1500ms);
  rig.start("add");
  REQUIRE(rig.sink.messages.size() == 2);
  const wire::Event first = rig.sink.messages[0].event();
  const wire::Event second = rig.sink.messages[1].event();
  CHECK(test::show(first) == "add []");
  CHECK(first.version == 3);
  CHECK(first.timeout_ms == 1500);
  CHECK_FALSE(second.timeout_ms);
  CHECK(first.response_to.empty());
  CHECK(first.id != second.id);
  CHECK(first.id.starts_with(std::string("\xc4\x20")));
}

TEST_CASE("OK brings its first element") {
  CallerRig rig;
  rig.reply(rig.start("x"), "OK", list(7));
  rig.reply(rig.start("x"), "OK", list(7, 8));
  CHECK(rig.took() == "value 7; value 7");
  CHECK(rig.caller.open() == 0);
}

TEST_CASE("an OK that is empty or no array is a ProtocolError") {
  CallerRig rig;
  for (const std::string& args : {list(), packed("hello"), packed(nullptr)}) {
    rig.reply(rig.start("x"), "OK", args);
    CHECK(rig.took() == "ProtocolError ProtocolError: the remote answered x with a malformed event OK");
  }
}

TEST_CASE("ERR is a RemoteError with the remote's name, message and traceback, nil or not") {
  CallerRig rig;
  std::exception_ptr error;
  const auto keep = [&](rpc::Outcome<int> outcome) { error = outcome.error(); };
  for (const bool given : {true, false}) {
    const auto call = rig.start("x", rpc::listen<int>(keep));
    rig.reply(call, "ERR", given ? list("Busy", "no", "trace") : list("Busy", "no", nullptr));
    try {
      std::rethrow_exception(error);
    } catch (const rpc::RemoteError& remote) {
      CHECK(remote.name() == "Busy");
      CHECK(remote.what() == std::string("no"));
      CHECK(remote.traceback() == (given ? "trace" : ""));
    }
  }
}

TEST_CASE("ERR of a version 1 server is a RemoteError with its one text") {
  CallerRig rig;
  rig.reply(rig.start("x"), "ERR", list("NameError('x')"));
  CHECK(rig.took() == "RemoteError RemoteError: NameError('x')");
}

TEST_CASE("ERR of a server in Go, whose text stands alone, is a RemoteError with that text") {
  CallerRig rig;
  rig.reply(rig.start("x"), "ERR", list("no such file", nullptr, nullptr));
  CHECK(rig.took() == "RemoteError RemoteError: no such file");
}

TEST_CASE("ERR of any other shape is a ProtocolError") {
  CallerRig rig;
  for (const std::string& args :
       {list(), list("a", "b"), list("a", "b", "c", "d"), packed("text"), packed(nullptr)}) {
    rig.reply(rig.start("x"), "ERR", args);
    CHECK(rig.took() == "ProtocolError ProtocolError: the remote sent an ERR of another shape");
  }
}

TEST_CASE("an ERR whose name or message is not text is a ProtocolError") {
  CallerRig rig;
  for (const std::string& args :
       {list(1, "no", "trace"), list("Busy", std::vector<int>{2}, "trace"), list(5)}) {
    rig.reply(rig.start("x"), "ERR", args);
    CHECK(rig.took() == "ProtocolError ProtocolError: the remote sent an ERR of another shape");
  }
}

TEST_CASE("an ERR's parts may be bytes, and a traceback that is not text is left out") {
  CallerRig rig;
  rig.reply(rig.start("x"), "ERR", list(wire::Bytes{"Busy"}, wire::Bytes{"no"}, 5));
  CHECK(rig.took() == "RemoteError Busy: no");
}

TEST_CASE("a stream brings its items in order, then its end, whatever the end's args are") {
  CallerRig rig;
  for (const std::string& args : {packed(nullptr), list(), packed(5)}) {
    const auto call = rig.start("x");
    rig.reply(call, "STREAM", packed(1));
    rig.reply(call, "STREAM", list(2));
    rig.reply(call, "STREAM_DONE", args);
    CHECK(rig.took() == "item 1; item [2]; done");
  }
}

TEST_CASE("an error in mid-stream comes after the items before it") {
  CallerRig rig;
  const auto call = rig.start("x");
  rig.reply(call, "STREAM", packed(1));
  rig.reply(call, "ERR", list("Broken", "no more", nullptr));
  CHECK(rig.took() == "item 1; RemoteError Broken: no more");
}

TEST_CASE("a stream where a value was asked for is a ProtocolError, and the server is told to stop") {
  CallerRig rig;
  std::string text;
  const auto call = rig.start(
      "x", rpc::listen<int>([&](rpc::Outcome<int> result) { text = test::describe(result.error()); }));
  rig.sent();
  rig.reply(call, "STREAM", packed(1));
  CHECK(text.starts_with("ProtocolError"));
  CHECK(rig.sent() == "_zpx_cancel [0]");
  CHECK(outcome<int>("STREAM_DONE", packed(nullptr)).starts_with("ProtocolError"));
}

TEST_CASE("a value of another type than was asked for is a ProtocolError that says so") {
  CHECK(outcome<int>("OK", list("7")) == "ProtocolError ProtocolError: the answer must be int, not str");
  CHECK(outcome<int>("OK", list(nullptr)).starts_with("ProtocolError"));
  CHECK(outcome<int>("OK", list(7)) == "fine");
}

TEST_CASE("a call that expects nothing takes any value") {
  CHECK(outcome<void>("OK", list("7")) == "fine");
  CHECK(outcome<void>("OK", list(nullptr)) == "fine");
  CHECK(outcome<void>("ERR", list("Busy", "no", nullptr)) == "RemoteError Busy: no");
}

TEST_CASE("an event of an unknown name on an open call is a ProtocolError") {
  CallerRig rig;
  rig.reply(rig.start("x"), "HELLO", list(1));
  CHECK(rig.took() == "ProtocolError ProtocolError: the remote answered x with a malformed event HELLO");
}

TEST_CASE("a damaged answer is a ProtocolError of its call") {
  CallerRig rig;
  const auto call = rig.start("x");
  const std::string whole = test::encode({.response_to = call.id, .name = "OK", .args = list("abc")});
  rig.receive(whole.substr(0, whole.size() - 1));
  CHECK(
      rig.took().starts_with("ProtocolError ProtocolError: the remote's answer: the arguments are damaged"));
  CHECK(rig.caller.open() == 0);
}

TEST_CASE("the echo of the id may be str instead of bin") {
  CallerRig rig;
  const auto call = rig.start("x");
  const std::string as_text = packed(std::string(wire::id_text(call.id)));
  rig.receive(test::encode({.response_to = as_text, .name = "OK", .args = list(7)}));
  CHECK(rig.took() == "value 7");
}

TEST_CASE("events after the end, for nobody, or unreadable are dropped and counted") {
  CallerRig rig;
  const auto call = rig.start("x");
  rig.reply(call, "OK", list(7));
  rig.took();
  for (const std::string event : {"OK", "ERR", "STREAM", "STREAM_DONE", "_zpc_hb", "_zpc_more"})
    rig.reply(call, event, list(1));
  rig.reply({0, test::bin_id("somebody else's")}, "OK", list(1));
  rig.reply({0, packed(5)}, "OK", list(1));
  rig.receive("");
  rig.receive("\xc1");
  rig.receive(test::encode({.name = "call", .args = list()}));
  rig.caller.receive({});
  CHECK(rig.took().empty());
  CHECK(rig.caller.dropped() == 11);
}

TEST_CASE("answers find their calls in any order") {
  CallerRig rig;
  const auto one = rig.start("x");
  const auto two = rig.start("x");
  rig.reply(two, "OK", list(2));
  rig.reply(one, "OK", list(1));
  CHECK(rig.took() == "value 2; value 1");
}

TEST_CASE(
    "a call without an answer in time expires with zerorpc-python's text, and the server is told to stop") {
  CallerRig rig({.heartbeat = 0ms, .limits = {}});
  rig.start("x", 30s);
  rig.sent();
  rig.pass(29990ms);
  CHECK(rig.took().empty());
  rig.pass(20ms);
  CHECK(rig.took() == "TimeoutExpired TimeoutExpired: timeout after 30s, when calling remote method x");
  CHECK(rig.sent() == "_zpx_cancel [0]");
  rig.start("y", 1500ms);
  rig.pass(1510ms);
  CHECK(rig.took() == "TimeoutExpired TimeoutExpired: timeout after 1500ms, when calling remote method y");
}

TEST_CASE("a call without a timeout waits for ever") {
  CallerRig rig({.heartbeat = 0ms, .limits = {}});
  rig.start("x");
  rig.pass(1h);
  CHECK(rig.took().empty());
}

TEST_CASE("a stream's timeout counts to its first item only") {
  CallerRig rig({.heartbeat = 0ms, .limits = {}});
  const auto call = rig.start("x", 1s);
  rig.reply(call, "STREAM", packed(1));
  rig.pass(1min);
  CHECK(rig.took() == "item 1");
}

TEST_CASE("a heartbeat is no reply: the timeout goes on") {
  CallerRig rig;
  const auto call = rig.start("x", 1s);
  rig.reply(call, "_zpc_hb", list(0));
  rig.pass(1010ms);
  CHECK(rig.took().starts_with("TimeoutExpired"));
}

}  // namespace zerosuite::test::caller_test
