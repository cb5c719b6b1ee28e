// What a caller does while calls are open, and how it gives them up.
#include <doctest/doctest.h>

#include "support/caller_rig.hpp"

namespace zerosuite::test::caller_open_test {

using namespace std::chrono_literals;

TEST_CASE("a caller heartbeats every interval, the first one interval after the call") {
  CallerRig rig;
  const auto call = rig.start("x");
  rig.sent();
  rig.pass(4990ms);
  CHECK(rig.sent().empty());
  rig.pass(10ms);
  CHECK(rig.sent() == "_zpc_hb [0]");
  rig.reply(call, "_zpc_hb", list(0));
  rig.pass(5s);
  CHECK(rig.sent() == "_zpc_hb [0]");
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

TEST_CASE("a server that is away is waited for until the timeout; it is lost only once it had the call") {
  CallerRig rig;
  rig.start("zero", 1s);
  rig.sink.delivery = rpc::Delivery::kGone;
  rig.start("patient");
  rig.pass(60s);
  CHECK(rig.took() == "TimeoutExpired TimeoutExpired: timeout after 1s, when calling remote method zero");
  rig.sink.delivery = rpc::Delivery::kSent;
  rig.pass(16s);
  CHECK(rig.took() == "LostRemote LostRemote: Lost remote after 10s heartbeat");
}

TEST_CASE("a server's DeadlineExceeded for the caller's own timeout is a TimeoutExpired") {
  CallerRig rig;
  const auto limited = rig.start("x", 5s);
  rig.reply(limited, "ERR", list("DeadlineExceeded", "too late", nullptr));
  CHECK(rig.took() == "TimeoutExpired TimeoutExpired: timeout after 5s, when calling remote method x");
  const auto unlimited = rig.start("x");
  rig.reply(unlimited, "ERR", list("DeadlineExceeded", "too late", nullptr));
  CHECK(rig.took() == "RemoteError DeadlineExceeded: too late");
}

TEST_CASE("a caller does not answer heartbeats, so that two of our own never loop") {
  CallerRig rig;
  const auto call = rig.start("x");
  rig.sent();
  rig.reply(call, "_zpc_hb", packed(nullptr));
  CHECK(rig.sent().empty());
}

TEST_CASE("heartbeats go on while data flows, and data is a sign of life") {
  CallerRig rig;
  const auto call = rig.start("x");
  rig.sent();
  for (int second = 0; second < 60; ++second) {
    rig.pass(1s);
    rig.reply(call, "STREAM", packed(1));
  }
  std::string beats = "_zpc_hb [0]";
  for (int i = 0; i < 11; ++i) beats += "; _zpc_hb [0]";
  CHECK(rig.sent() == beats);
  CHECK(rig.caller.open() == 1);
}

TEST_CASE(
    "a server that never gives a sign of life is lost after three intervals, with zerorpc-python's text") {
  CallerRig rig;
  rig.start("x");
  rig.pass(14990ms);
  CHECK(rig.took().empty());
  rig.pass(10ms);
  CHECK(rig.took() == "LostRemote LostRemote: Lost remote after 10s heartbeat");
  CHECK(rig.caller.open() == 0);
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

TEST_CASE("no heartbeat follows the end of a call") {
  CallerRig rig;
  rig.reply(rig.start("x"), "OK", list(7));
  rig.sent();
  rig.pass(1min);
  CHECK(rig.sent().empty());
}

TEST_CASE("a grant is a number of items on the call's channel, and none leaves for a call that has ended") {
  CallerRig rig;
  const auto call = rig.start("x");
  rig.sent();
  rig.caller.grant(call.number, 100);
  REQUIRE(rig.sink.messages.size() == 1);
  CHECK(rig.sink.messages[0].event().response_to == call.id);
  CHECK(rig.sent() == "_zpc_more [100]");
  rig.reply(call, "STREAM_DONE", packed(nullptr));
  rig.caller.grant(call.number, 100);
  CHECK(rig.sent().empty());
}

TEST_CASE("cancelling tells the server once and ends the call at once") {
  CallerRig rig;
  const auto call = rig.start("x");
  rig.sent();
  rig.caller.cancel(call.number);
  rig.caller.cancel(call.number);
  CHECK(rig.sent() == "_zpx_cancel [0]");
  CHECK(rig.took() == "Cancelled Cancelled: the call to x was cancelled");
}

TEST_CASE("closing fails every open call with the error given, and tells the server") {
  CallerRig rig;
  rig.start("x");
  rig.start("y");
  rig.sent();
  rig.caller.close(std::make_exception_ptr(rpc::Cancelled("enough")));
  CHECK(rig.took() == "Cancelled Cancelled: enough; Cancelled Cancelled: enough");
  CHECK(rig.sent() == "_zpx_cancel [0]; _zpx_cancel [0]");
  rig.start("z");
  CHECK(rig.caller.open() == 1);
}

TEST_CASE("a caller that goes fails its open calls with Cancelled") {
  std::string lines;
  {
    CallerRig rig;
    rig.start("x", std::make_unique<test::LineListener>(lines));
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

TEST_CASE("a listener may start the next call from the end of its own") {
  CallerRig rig;
  CallerRig::Call next;
  const auto again = [&](rpc::Outcome<int>) { next = rig.start("second"); };
  rig.reply(rig.start("first", rpc::listen<int>(again)), "OK", list(1));
  rig.reply(next, "OK", list(2));
  CHECK(rig.took() == "value 2");
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

}  // namespace zerosuite::test::caller_open_test
