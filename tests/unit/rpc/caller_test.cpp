#include "rpc/client/caller.hpp"

#include <doctest/doctest.h>

#include "support/caller_rig.hpp"

namespace zerosuite::test::caller_test {

// Not inlined, or g++ 12 under UBSan believes that error() reads an outcome that it sees to be fine.
template <class R>
[[gnu::noinline]] std::string told(const rpc::Outcome<R>& outcome) {
  return outcome.ok() ? "fine" : describe(outcome.error());
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

TEST_CASE_FIXTURE(CallerRig, "a call leaves as one event with a fresh id, version 3 and its timeout") {
  start("add", 1500ms);
  start("add");
  REQUIRE(sink.messages.size() == 2);
  const wire::Event first = sink.messages[0].event();
  const wire::Event second = sink.messages[1].event();
  CHECK(show(first) == "add []");
  CHECK(first.version == 3);
  CHECK(first.timeout_ms == 1500);
  CHECK_FALSE(second.timeout_ms);
  CHECK(first.response_to.empty());
  CHECK(first.id != second.id);
  CHECK(first.id.starts_with(std::string("\xc4\x20")));
}

TEST_CASE_FIXTURE(CallerRig, "OK brings its first element") {
  reply(start("x"), "OK", list(7));
  reply(start("x"), "OK", list(7, 8));
  CHECK(took() == "value 7; value 7");
  CHECK(caller.open() == 0);
}

TEST_CASE_FIXTURE(CallerRig, "an OK that is empty or no array is a ProtocolError") {
  for (const std::string& args : {list(), packed("hello"), packed(nullptr)}) {
    reply(start("x"), "OK", args);
    CHECK(took() == "ProtocolError ProtocolError: the remote answered x with a malformed event OK");
  }
}

TEST_CASE_FIXTURE(CallerRig,
                  "ERR is a RemoteError with the remote's name, message and traceback, nil or not") {
  std::exception_ptr error;
  const auto keep = [&](rpc::Outcome<int> outcome) { error = outcome.error(); };
  for (const bool given : {true, false}) {
    const auto call = start("x", rpc::listen<int>(keep));
    reply(call, "ERR", given ? list("Busy", "no", "trace") : list("Busy", "no", nullptr));
    try {
      std::rethrow_exception(error);
    } catch (const rpc::RemoteError& remote) {
      CHECK(remote.name() == "Busy");
      CHECK(remote.what() == std::string("no"));
      CHECK(remote.traceback() == (given ? "trace" : ""));
    }
  }
}

TEST_CASE_FIXTURE(CallerRig, "ERR of a version 1 server is a RemoteError with its one text") {
  reply(start("x"), "ERR", list("NameError('x')"));
  CHECK(took() == "RemoteError RemoteError: NameError('x')");
}

TEST_CASE_FIXTURE(CallerRig,
                  "ERR of a server in Go, whose text stands alone, is a RemoteError with that text") {
  reply(start("x"), "ERR", list("no such file", nullptr, nullptr));
  CHECK(took() == "RemoteError RemoteError: no such file");
}

TEST_CASE_FIXTURE(CallerRig, "ERR of any other shape is a ProtocolError") {
  for (const std::string& args :
       {list(), list("a", "b"), list("a", "b", "c", "d"), packed("text"), packed(nullptr)}) {
    reply(start("x"), "ERR", args);
    CHECK(took() == "ProtocolError ProtocolError: the remote sent an ERR of another shape");
  }
}

TEST_CASE_FIXTURE(CallerRig, "an ERR whose name or message is not text is a ProtocolError") {
  for (const std::string& args :
       {list(1, "no", "trace"), list("Busy", std::vector<int>{2}, "trace"), list(5)}) {
    reply(start("x"), "ERR", args);
    CHECK(took() == "ProtocolError ProtocolError: the remote sent an ERR of another shape");
  }
}

TEST_CASE_FIXTURE(CallerRig, "an ERR's parts may be bytes, and a traceback that is not text is left out") {
  reply(start("x"), "ERR", list(wire::Bytes{"Busy"}, wire::Bytes{"no"}, 5));
  CHECK(took() == "RemoteError Busy: no");
}

TEST_CASE_FIXTURE(CallerRig,
                  "a stream brings its items in order, then its end, whatever the end's args are") {
  for (const std::string& args : {packed(nullptr), list(), packed(5)}) {
    const auto call = start("x");
    reply(call, "STREAM", packed(1));
    reply(call, "STREAM", list(2));
    reply(call, "STREAM_DONE", args);
    CHECK(took() == "item 1; item [2]; done");
  }
}

TEST_CASE_FIXTURE(CallerRig, "an error in mid-stream comes after the items before it") {
  const auto call = start("x");
  reply(call, "STREAM", packed(1));
  reply(call, "ERR", list("Broken", "no more", nullptr));
  CHECK(took() == "item 1; RemoteError Broken: no more");
}

TEST_CASE_FIXTURE(CallerRig,
                  "a stream where a value was asked for is a ProtocolError, and the server is told to stop") {
  std::string text;
  const auto call =
      start("x", rpc::listen<int>([&](rpc::Outcome<int> result) { text = describe(result.error()); }));
  sent();
  reply(call, "STREAM", packed(1));
  CHECK(text.starts_with("ProtocolError"));
  CHECK(sent() == "_zpx_cancel [0]");
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

TEST_CASE_FIXTURE(CallerRig, "an event of an unknown name on an open call is a ProtocolError") {
  reply(start("x"), "HELLO", list(1));
  CHECK(took() == "ProtocolError ProtocolError: the remote answered x with a malformed event HELLO");
}

TEST_CASE_FIXTURE(CallerRig, "a damaged answer is a ProtocolError of its call") {
  const auto call = start("x");
  const std::string whole = encode({.response_to = call.id, .name = "OK", .args = list("abc")});
  receive(whole.substr(0, whole.size() - 1));
  CHECK(took().starts_with("ProtocolError ProtocolError: the remote's answer: the arguments are damaged"));
  CHECK(caller.open() == 0);
}

TEST_CASE_FIXTURE(CallerRig, "the echo of the id may be str instead of bin") {
  const auto call = start("x");
  const std::string as_text = packed(std::string(wire::id_text(call.id)));
  receive(encode({.response_to = as_text, .name = "OK", .args = list(7)}));
  CHECK(took() == "value 7");
}

TEST_CASE_FIXTURE(CallerRig, "events after the end, for nobody, or unreadable are dropped and counted") {
  const auto call = start("x");
  reply(call, "OK", list(7));
  took();
  for (const std::string event : {"OK", "ERR", "STREAM", "STREAM_DONE", "_zpc_hb", "_zpc_more"})
    reply(call, event, list(1));
  reply({0, bin_id("somebody else's")}, "OK", list(1));
  reply({0, packed(5)}, "OK", list(1));
  receive("");
  receive("\xc1");
  receive(encode({.name = "call", .args = list()}));
  caller.receive({});
  CHECK(took().empty());
  CHECK(caller.dropped() == 11);
}

TEST_CASE_FIXTURE(CallerRig, "answers find their calls in any order") {
  const auto one = start("x");
  const auto two = start("x");
  reply(two, "OK", list(2));
  reply(one, "OK", list(1));
  CHECK(took() == "value 2; value 1");
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

TEST_CASE_FIXTURE(CallerRig, "a heartbeat is no reply: the timeout goes on") {
  const auto call = start("x", 1s);
  reply(call, "_zpc_hb", list(0));
  pass(1010ms);
  CHECK(took().starts_with("TimeoutExpired"));
}

// What a caller does while calls are open, and how it gives them up.

struct Open : CallerRig {
  Open() { sent(); }

  Call call = start("x");
};

TEST_CASE_FIXTURE(Open, "a caller heartbeats every interval, the first one interval after the call") {
  pass(4990ms);
  CHECK(sent().empty());
  pass(10ms);
  CHECK(sent() == "_zpc_hb [0]");
  reply(call, "_zpc_hb", list(0));
  pass(5s);
  CHECK(sent() == "_zpc_hb [0]");
}

TEST_CASE("a call that ends before the server can take it is never sent") {
  CallerRig rig;
  const auto lasting = rig.start("before", 30s);
  rig.sent();
  rig.sink.delivery = rpc::Delivery::kGone;
  rig.start("short", 100ms);
  rig.start("long", 60s);
  rig.pass(200ms);
  CHECK(rig.took() == "TimeoutExpired TimeoutExpired: timeout after 100ms, when calling remote method short");

  rig.sink.delivery = rpc::Delivery::kSent;
  rig.pass(100ms);
  const std::string sent = rig.sent();
  CHECK(sent.starts_with("long"));
  CHECK(sent.find("short") == std::string::npos);
  CHECK(sent.find("_zpx_cancel") == std::string::npos);
  rig.reply(lasting, "OK", list(1));
  CHECK(rig.took() == "value 1");
}

TEST_CASE("calls that waited for the server leave in the order they were made") {
  CallerRig rig;
  rig.start("zero");
  rig.sent();
  rig.sink.delivery = rpc::Delivery::kGone;
  rig.start("one");
  rig.sink.delivery = rpc::Delivery::kSent;
  rig.start("two");
  CHECK(rig.sent().empty());
  rig.pass(10ms);
  const std::string sent = rig.sent();
  CHECK(sent.find("one") < sent.find("two"));
  CHECK(sent.find("two") != std::string::npos);
}

TEST_CASE_FIXTURE(
    CallerRig,
    "a server that is away is waited for until the timeout; it is lost only once it had the call") {
  start("zero", 1s);
  sink.delivery = rpc::Delivery::kGone;
  start("patient");
  pass(60s);
  CHECK(took() == "TimeoutExpired TimeoutExpired: timeout after 1s, when calling remote method zero");
  sink.delivery = rpc::Delivery::kSent;
  pass(16s);
  CHECK(took() == "LostRemote LostRemote: Lost remote after 10s heartbeat");
}

TEST_CASE_FIXTURE(CallerRig, "a server's DeadlineExceeded for the caller's own timeout is a TimeoutExpired") {
  const auto limited = start("x", 5s);
  reply(limited, "ERR", list("DeadlineExceeded", "too late", nullptr));
  CHECK(took() == "TimeoutExpired TimeoutExpired: timeout after 5s, when calling remote method x");
  const auto unlimited = start("x");
  reply(unlimited, "ERR", list("DeadlineExceeded", "too late", nullptr));
  CHECK(took() == "RemoteError DeadlineExceeded: too late");
}

TEST_CASE_FIXTURE(Open, "a caller does not answer heartbeats, so that two of our own never loop") {
  reply(call, "_zpc_hb", packed(nullptr));
  CHECK(sent().empty());
}

TEST_CASE_FIXTURE(Open, "heartbeats go on while data flows, and data is a sign of life") {
  for (int second = 0; second < 60; ++second) {
    pass(1s);
    reply(call, "STREAM", packed(1));
  }
  std::string beats = "_zpc_hb [0]";
  for (int i = 0; i < 11; ++i) beats += "; _zpc_hb [0]";
  CHECK(sent() == beats);
  CHECK(caller.open() == 1);
}

TEST_CASE_FIXTURE(
    CallerRig,
    "a server that never gives a sign of life is lost after three intervals, with zerorpc-python's text") {
  start("x");
  pass(14990ms);
  CHECK(took().empty());
  pass(10ms);
  CHECK(took() == "LostRemote LostRemote: Lost remote after 10s heartbeat");
  CHECK(caller.open() == 0);
}

TEST_CASE("a server that falls silent is lost two intervals after its last heartbeat") {
  CallerRig rig({.heartbeat = 1500ms, .limits = {}});
  const auto call = rig.start("x");
  rig.pass(4s);
  rig.reply(call, "_zpc_hb", list(0));
  rig.pass(2990ms);
  CHECK(rig.took().empty());
  rig.pass(20ms);
  CHECK(rig.took() == "LostRemote LostRemote: Lost remote after 3s heartbeat");
}

TEST_CASE("without heartbeats a caller sends none and never gives up") {
  CallerRig rig({.heartbeat = 0ms, .limits = {}});
  const auto call = rig.start("x");
  rig.sent();
  rig.pass(10min);
  rig.reply(call, "_zpc_hb", list(0));
  rig.pass(10min);
  CHECK(rig.sent().empty());
  CHECK(rig.took().empty());
  rig.reply(call, "OK", list(7));
  CHECK(rig.took() == "value 7");
}

TEST_CASE_FIXTURE(CallerRig, "no heartbeat follows the end of a call") {
  reply(start("x"), "OK", list(7));
  sent();
  pass(1min);
  CHECK(sent().empty());
}

TEST_CASE_FIXTURE(
    Open, "a grant is a number of items on the call's channel, and none leaves for a call that has ended") {
  caller.grant(call.number, 100);
  REQUIRE(sink.messages.size() == 1);
  CHECK(sink.messages[0].event().response_to == call.id);
  CHECK(sent() == "_zpc_more [100]");
  reply(call, "STREAM_DONE", packed(nullptr));
  caller.grant(call.number, 100);
  CHECK(sent().empty());
}

TEST_CASE_FIXTURE(Open, "cancelling tells the server once and ends the call at once") {
  caller.cancel(call.number);
  caller.cancel(call.number);
  CHECK(sent() == "_zpx_cancel [0]");
  CHECK(took() == "Cancelled Cancelled: the call to x was cancelled");
}

TEST_CASE_FIXTURE(CallerRig, "closing fails every open call with the error given, and tells the server") {
  start("x");
  start("y");
  sent();
  caller.close(std::make_exception_ptr(rpc::Cancelled("enough")));
  CHECK(took() == "Cancelled Cancelled: enough; Cancelled Cancelled: enough");
  CHECK(sent() == "_zpx_cancel [0]; _zpx_cancel [0]");
  start("z");
  CHECK(caller.open() == 1);
}

TEST_CASE("a caller that goes fails its open calls with Cancelled") {
  std::string lines;
  {
    CallerRig rig;
    rig.start("x", std::make_unique<LineListener>(lines));
  }
  CHECK(lines == "Cancelled Cancelled: the client was closed");
}

TEST_CASE("beyond the limit of open calls the next is Overloaded and nothing is sent for it") {
  CallerRig rig({.max_open_calls = 2, .limits = {}});
  const auto call = rig.start("x");
  rig.start("x");
  rig.sent();
  CHECK(rig.start("x").number == 0);
  CHECK(rig.took() == "CallError Overloaded: too many calls are open on this client");
  CHECK(rig.sent().empty());
  rig.reply(call, "OK", list(7));
  rig.start("x");
  CHECK(rig.took() == "value 7");
}

TEST_CASE(
    "a call for which too much waits for the server is Overloaded; others find room once that has gone") {
  CallerRig rig({.max_unsent_bytes = 1000, .limits = {}});
  rig.sink.delivery = rpc::Delivery::kGone;
  int waiting = 0;
  while (rig.start("x", 1s).number != 0) ++waiting;
  CHECK(waiting > 5);
  CHECK(waiting < 20);
  CHECK(rig.took() == "CallError Overloaded: too much waits on this client for a server that takes nothing");
  rig.pass(1100ms);
  rig.took();
  CHECK(rig.start("x").number != 0);
  rig.sink.delivery = rpc::Delivery::kSent;
  rig.pass(100ms);
  for (int i = 0; i < 100; ++i) CHECK(rig.start("x").number != 0);
}

TEST_CASE_FIXTURE(CallerRig, "a listener may start the next call from the end of its own") {
  CallerRig::Call next;
  const auto again = [&](rpc::Outcome<int>) { next = start("second"); };
  reply(start("first", rpc::listen<int>(again)), "OK", list(1));
  reply(next, "OK", list(2));
  CHECK(took() == "value 2");
}

TEST_CASE("header keys of the call and of the observer travel with the call, and not with what follows it") {
  struct Tracer final : rpc::CallObserver {
    void outgoing(std::string_view method, wire::Context& context) override { context.add("trace", method); }
  } tracer;
  CallerRig rig({.limits = {}, .observer = &tracer});
  const auto call = rig.start("x");
  rig.caller.grant(call.number, 1);
  CHECK(wire::header_text(rig.sink.messages[0].event().header, "trace") == "x");
  CHECK(wire::header_text(rig.sink.messages[1].event().header, "trace").empty());
}

}  // namespace zerosuite::test::caller_test
