#include "rpc/heartbeat.hpp"

#include <doctest/doctest.h>

#include "support/server_rig.hpp"

namespace zerosuite::test::heartbeat_test {

constexpr auto kBeat = "_zpc_hb [0]";

// A server with one call that nobody answers.
struct OpenCall : ServerRig {
  explicit OpenCall(std::optional<int> version = 3, rpc::ChannelOptions options = {})
      : ServerRig({.name = "math", .limits = {}, .channel = options}) {
    server.method("wait", "", kept.method());
    channel = send({.name = "wait", .version = version});
  }
  bool open() const { return server.stats().channels == 1; }

  Kept<int> kept;
  Channel channel;
};

TEST_CASE_FIXTURE(
    OpenCall,
    "the server's first heartbeat leaves within five seconds of the request, and one more in every five") {
  pass(5s);
  CHECK(heard(channel) == kBeat);
  pass(5s);
  CHECK(heard(channel) == kBeat);
}

TEST_CASE("a client that announces its interval is waited for three times as long, up to the limit") {
  struct Row {
    std::int64_t announced;
    std::chrono::seconds first;  // silence from the call on that is too long
    std::chrono::seconds later;  // and after a heartbeat
  };
  for (const Row& row : {Row{20'000, 60s, 60s}, {3'600'000, 180s, 180s}, {1'000, 15s, 10s}, {-5, 15s, 10s}}) {
    CAPTURE(row.announced);
    OpenCall silent;
    wire::Context extra;
    extra.add("heartbeat_ms", row.announced);
    silent.send({.name = "wait", .extra = &extra}, "bob");
    silent.tell(silent.channel, "_zpx_cancel");
    silent.pass(row.first - 1s);
    CHECK(silent.open());
    silent.pass(2s);
    CHECK_FALSE(silent.open());

    const Channel heard = silent.send({.name = "wait", .extra = &extra}, "bob");
    silent.pass(1s);
    silent.tell(heard, "_zpc_hb", 0);
    silent.pass(std::max<core::Clock::duration>(row.later, row.first - 1s) - 1s);
    CHECK(silent.open());
    silent.pass(2s);
    CHECK_FALSE(silent.open());
  }
}

TEST_CASE_FIXTURE(OpenCall, "a call answered within five seconds sees no heartbeat") {
  pass(4s);
  (*kept.reply)(7);
  pass(60s);
  CHECK(heard(channel) == "OK [7]");
}

TEST_CASE_FIXTURE(OpenCall, "no heartbeat follows an OK, an ERR or a STREAM_DONE") {
  server.method("stream", "", [] {
    return rpc::Stream<int>([left = 2]() mutable { return left-- > 0 ? std::optional(left) : std::nullopt; });
  });
  const Channel stream = call("stream");
  const Channel other = call("wait");
  pass(5s);
  (*kept.reply)(core::Error{"Busy", "no"});
  tell(stream, "_zpc_more", 10);
  sink.messages.clear();
  for (const Channel& each : {stream, other}) tell(each, "_zpc_hb", 0);
  pass(9s);
  CHECK(heard(other).empty());
  CHECK(heard(stream).empty());
}

TEST_CASE_FIXTURE(OpenCall,
                  "a heartbeat is answered at once, but no more than one in a hundred milliseconds") {
  tell(channel, "_zpc_hb", 0);
  CHECK(heard(channel) == kBeat);
  pass(90ms);
  tell(channel, "_zpc_hb", 0);
  CHECK(heard(channel).empty());
  pass(10ms);
  tell(channel, "_zpc_hb", 0);
  CHECK(heard(channel) == kBeat);
}

TEST_CASE_FIXTURE(
    OpenCall, "a client that never heartbeats is lost after three intervals, not before, and is told why") {
  pass(14900ms);
  CHECK(open());
  heard(channel);
  pass(110ms);
  CHECK_FALSE(open());
  CHECK(heard(channel).starts_with(
      "ERR [\"LostRemote\", \"the client of wait() has sent no heartbeat in 15000 ms\""));
  CHECK(server.stats().lost == 1);
}

TEST_CASE_FIXTURE(OpenCall, "a client that fell silent is lost two intervals after its last heartbeat") {
  for (int i = 0; i < 4; ++i) {
    pass(5s);
    tell(channel, "_zpc_hb", 0);
  }
  pass(9900ms);
  CHECK(open());
  heard(channel);
  pass(110ms);
  CHECK_FALSE(open());
  CHECK(heard(channel).empty());
}

TEST_CASE_FIXTURE(OpenCall, "an early heartbeat does not shorten the first three intervals") {
  tell(channel, "_zpc_hb", 0);
  pass(14900ms);
  CHECK(open());
}

TEST_CASE_FIXTURE(OpenCall, "a client of a longer interval than the server's is lost after two of its own") {
  for (int i = 0; i < 3; ++i) {
    pass(12s);
    CHECK(open());
    tell(channel, "_zpc_hb", 0);
  }
  pass(23900ms);
  CHECK(open());
  pass(110ms);
  CHECK_FALSE(open());
}

TEST_CASE_FIXTURE(OpenCall, "grants and items are no sign of life of a client") {
  for (int i = 0; i < 15; ++i) {
    pass(1s);
    tell(channel, "_zpc_more", 1);
  }
  pass(10ms);
  CHECK_FALSE(open());
}

TEST_CASE("a client below version 2 that stays silent is given up after the passive limit, and told why") {
  OpenCall rig(std::nullopt);
  rig.pass(299s);
  CHECK(rig.open());
  rig.pass(1100ms);
  CHECK_FALSE(rig.open());
  CHECK(rig.heard(rig.channel) ==
        "ERR [\"LostRemote('the client of wait() has sent no heartbeat in 300000 ms')\"]");
}

TEST_CASE("the passive limit is configured") {
  OpenCall rig(1, {.passive_limit = 10s});
  rig.pass(9900ms);
  CHECK(rig.open());
  rig.pass(200ms);
  CHECK_FALSE(rig.open());
}

TEST_CASE_FIXTURE(OpenCall, "a client that beats ever more slowly is waited for two minutes at most") {
  for (const auto gap : {14s, 27s, 53s, 105s}) {
    pass(gap);
    REQUIRE(open());
    tell(channel, "_zpc_hb", 0);
  }
  pass(121s);
  CHECK_FALSE(open());
}

TEST_CASE("towards a client below version 2 the server is passive until it hears a heartbeat") {
  for (const std::optional<int> version : {std::optional<int>(), std::optional(1)}) {
    OpenCall rig(version);
    rig.pass(60s);
    CHECK(rig.open());
    CHECK(rig.heard(rig.channel).empty());

    rig.tell(rig.channel, "_zpc_hb", 0);
    rig.pass(5s);
    CHECK(rig.heard(rig.channel) == "_zpc_hb [0]; _zpc_hb [0]");
    rig.pass(10s);
    CHECK_FALSE(rig.open());
  }
}

TEST_CASE("towards a client of version 2 the server is active") {
  OpenCall rig(2);
  rig.pass(5s);
  CHECK(rig.heard(rig.channel) == kBeat);
}

TEST_CASE_FIXTURE(OpenCall, "a heartbeat's args may be nil or missing their number") {
  receive("alice", {.response_to = channel.id, .name = "_zpc_hb", .args = packed(nullptr)});
  pass(200ms);
  receive("alice", {.response_to = channel.id, .name = "_zpc_hb"});
  CHECK(heard(channel) == "_zpc_hb [0]; _zpc_hb [0]");
}

TEST_CASE_FIXTURE(OpenCall, "when the answer to a heartbeat finds nobody, the call is lost for good") {
  sink.delivery = rpc::Delivery::kGone;
  tell(channel, "_zpc_hb", 0);
  CHECK_FALSE(kept.reply->wanted());
  turn();
  CHECK_FALSE(open());
  pass(60s);
  CHECK(server.stats().lost == 1);
}

TEST_CASE("a caller with an interval of zero neither sends heartbeats nor gives up") {
  auto heartbeat = rpc::Heartbeat::client(0s, kStart);
  CHECK(heartbeat.due(kStart + 24h) == rpc::Heartbeat::Due::kNothing);
  CHECK(heartbeat.next() == core::TimePoint::max());
  CHECK_FALSE(heartbeat.heard(kStart));
  CHECK(heartbeat.next() == core::TimePoint::max());
}

}  // namespace zerosuite::test::heartbeat_test
