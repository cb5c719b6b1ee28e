#include "rpc/heartbeat.hpp"

#include <doctest/doctest.h>

#include "support/server_rig.hpp"

namespace zerosuite::test::heartbeat_test {

using namespace std::chrono_literals;

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

TEST_CASE(
    "the server's first heartbeat leaves within five seconds of the request, and one more in every five") {
  OpenCall rig;
  rig.pass(5s);
  CHECK(rig.heard(rig.channel) == kBeat);
  rig.pass(5s);
  CHECK(rig.heard(rig.channel) == kBeat);
}

TEST_CASE("a call answered within five seconds sees no heartbeat") {
  OpenCall rig;
  rig.pass(4s);
  (*rig.kept.reply)(7);
  rig.pass(60s);
  CHECK(rig.heard(rig.channel) == "OK [7]");
}

TEST_CASE("no heartbeat follows an OK, an ERR or a STREAM_DONE") {
  OpenCall rig;
  rig.server.method("stream", "", [] {
    return rpc::Stream<int>([left = 2]() mutable { return left-- > 0 ? std::optional(left) : std::nullopt; });
  });
  const Channel stream = rig.call("stream");
  const Channel other = rig.call("wait");
  rig.pass(5s);
  (*rig.kept.reply)(core::Error{"Busy", "no"});
  rig.tell(stream, "_zpc_more", 10);
  rig.sink.messages.clear();
  for (const Channel& channel : {stream, other}) rig.tell(channel, "_zpc_hb", 0);
  rig.pass(9s);
  CHECK(rig.heard(other).empty());
  CHECK(rig.heard(stream).empty());
}

TEST_CASE("a heartbeat is answered at once, but no more than one in a hundred milliseconds") {
  OpenCall rig;
  rig.tell(rig.channel, "_zpc_hb", 0);
  CHECK(rig.heard(rig.channel) == kBeat);
  rig.pass(90ms);
  rig.tell(rig.channel, "_zpc_hb", 0);
  CHECK(rig.heard(rig.channel).empty());
  rig.pass(10ms);
  rig.tell(rig.channel, "_zpc_hb", 0);
  CHECK(rig.heard(rig.channel) == kBeat);
}

TEST_CASE("a client that never heartbeats is lost after three intervals, not before, and is told why") {
  OpenCall rig;
  rig.pass(14900ms);
  CHECK(rig.open());
  rig.heard(rig.channel);
  rig.pass(110ms);
  CHECK_FALSE(rig.open());
  CHECK(rig.heard(rig.channel)
            .starts_with("ERR [\"LostRemote\", \"the client of wait() has sent no heartbeat in 15000 ms\""));
  CHECK(rig.server.stats().lost == 1);
}

TEST_CASE("a client that fell silent is lost two intervals after its last heartbeat") {
  OpenCall rig;
  for (int i = 0; i < 4; ++i) {
    rig.pass(5s);
    rig.tell(rig.channel, "_zpc_hb", 0);
  }
  rig.pass(9900ms);
  CHECK(rig.open());
  rig.heard(rig.channel);
  rig.pass(110ms);
  CHECK_FALSE(rig.open());
  CHECK(rig.heard(rig.channel).empty());
}

TEST_CASE("an early heartbeat does not shorten the first three intervals") {
  OpenCall rig;
  rig.tell(rig.channel, "_zpc_hb", 0);
  rig.pass(14900ms);
  CHECK(rig.open());
}

TEST_CASE("a client of a longer interval than the server's is lost after two of its own") {
  OpenCall rig;
  for (int i = 0; i < 3; ++i) {
    rig.pass(12s);
    CHECK(rig.open());
    rig.tell(rig.channel, "_zpc_hb", 0);
  }
  rig.pass(23900ms);
  CHECK(rig.open());
  rig.pass(110ms);
  CHECK_FALSE(rig.open());
}

TEST_CASE("grants and items are no sign of life of a client") {
  OpenCall rig;
  for (int i = 0; i < 15; ++i) {
    rig.pass(1s);
    rig.tell(rig.channel, "_zpc_more", 1);
  }
  rig.pass(10ms);
  CHECK_FALSE(rig.open());
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

TEST_CASE("a client that beats ever more slowly is waited for two minutes at most") {
  OpenCall rig;
  for (const auto gap : {14s, 27s, 53s, 105s}) {
    rig.pass(gap);
    REQUIRE(rig.open());
    rig.tell(rig.channel, "_zpc_hb", 0);
  }
  rig.pass(121s);
  CHECK_FALSE(rig.open());
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

TEST_CASE("a heartbeat's args may be nil or missing their number") {
  OpenCall rig;
  rig.receive("alice", {.response_to = rig.channel.id, .name = "_zpc_hb", .args = packed(nullptr)});
  rig.pass(200ms);
  rig.receive("alice", {.response_to = rig.channel.id, .name = "_zpc_hb"});
  CHECK(rig.heard(rig.channel) == "_zpc_hb [0]; _zpc_hb [0]");
}

TEST_CASE("when the answer to a heartbeat finds nobody, the call is lost for good") {
  OpenCall rig;
  rig.sink.delivery = rpc::Delivery::kGone;
  rig.tell(rig.channel, "_zpc_hb", 0);
  CHECK_FALSE(rig.kept.reply->wanted());
  rig.turn();
  CHECK_FALSE(rig.open());
  rig.pass(60s);
  CHECK(rig.server.stats().lost == 1);
}

TEST_CASE("a caller with an interval of zero neither sends heartbeats nor gives up") {
  auto heartbeat = rpc::Heartbeat::client(0s, kStart);
  CHECK(heartbeat.due(kStart + 24h) == rpc::Heartbeat::Due::kNothing);
  CHECK(heartbeat.next() == core::TimePoint::max());
  CHECK_FALSE(heartbeat.heard(kStart));
  CHECK(heartbeat.next() == core::TimePoint::max());
}

}  // namespace zerosuite::test::heartbeat_test
