#include "rpc/server/stream.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "support/server_rig.hpp"

namespace zerosuite::test::stream_test {

// A server with the streams a test needs, and a count of what they made.
struct StreamRig : ServerRig {
  using ServerRig::ServerRig;

  void add_methods() {
    server.method("count", {"n"}, "", [this](int n) {
      return rpc::Stream<int>([this, i = 0, n]() mutable {
        ++made;
        return i < n ? std::optional(i++) : std::nullopt;
      });
    });
    server.method("fail_after", {"n"}, "", [](int n) {
      return rpc::Stream<int>([i = 0, n]() mutable -> std::optional<int> {
        if (i == n) throw core::Failure("Broken", "no more");
        return i++;
      });
    });
    server.method("add", {"a", "b"}, "", [](int a, int b) { return a + b; });
  }
  Channel count(int n) { return call("count", n); }

  int made = 0;
};

struct Streams : StreamRig {
  Streams() { add_methods(); }
};

constexpr int kEndless = std::numeric_limits<int>::max();

struct EndlessStream : Streams {
  Channel channel = count(kEndless);
};

TEST_CASE_FIXTURE(Streams, "a stream sends one item before the first grant, and makes none ahead of it") {
  const Channel channel = count(5);
  CHECK(heard(channel) == "STREAM 0");
  CHECK(made == 1);
}

TEST_CASE_FIXTURE(Streams, "each grant releases that many items, and the end of the stream takes one too") {
  const Channel channel = count(5);
  tell(channel, "_zpc_more", 2);
  CHECK(heard(channel) == "STREAM 0; STREAM 1; STREAM 2");
  tell(channel, "_zpc_more", 2);
  CHECK(heard(channel) == "STREAM 3; STREAM 4");
  pass(1s);
  CHECK(heard(channel).empty());
  tell(channel, "_zpc_more", 1);
  CHECK(heard(channel) == "STREAM_DONE nil");
  CHECK(server.stats().channels == 0);
}

TEST_CASE_FIXTURE(Streams, "an empty stream is a lone STREAM_DONE") {
  CHECK(heard(count(0)) == "STREAM_DONE nil");
}

TEST_CASE_FIXTURE(Streams, "an error in mid-stream takes the place, and the credit, of an item") {
  const Channel channel = call("fail_after", 1);
  CHECK(heard(channel) == "STREAM 0");
  tell(channel, "_zpc_more", 1);
  CHECK(heard(channel) == R"(ERR ["Broken", "no more", "Broken: no more
"])");
  CHECK(server.stats().channels == 0);
}

TEST_CASE("an item that cannot be sent is an ERR in its place, and nothing follows it") {
  ServerRig rig;
  rig.server.method("bad", "", [] {
    return rpc::Stream<std::string>(
        [i = 0]() mutable { return std::optional<std::string>(++i == 2 ? "\xff" : "good"); });
  });
  const Channel channel = rig.call("bad");
  rig.tell(channel, "_zpc_more", 100);
  const std::string heard = rig.heard(channel);
  CHECK(heard.starts_with("STREAM \"good\"; ERR [\"ValueError\""));
  CHECK(heard.find("STREAM", 10) == heard.npos);
}

TEST_CASE("an item above the frame limit is an ERR TooLarge in its place, and nothing follows it") {
  StreamRig rig({.name = "math", .limits = {.max_frame_bytes = 250}, .channel = {}});
  rig.server.method("grow", "", [] {
    return rpc::Stream<std::string>(
        [i = 0U]() mutable { return std::optional(std::string(200 * i++, 'x')); });
  });
  const Channel channel = rig.call("grow");
  rig.tell(channel, "_zpc_more", 100);
  const std::string heard = rig.heard(channel);
  CHECK(heard.starts_with("STREAM \"\"; ERR [\"TooLarge\""));
  CHECK(heard.find("STREAM", 10) == heard.npos);
  CHECK(rig.server.stats().channels == 0);
  CHECK(rig.server.stats().errors == 1);
}

TEST_CASE_FIXTURE(EndlessStream, "a burst of grants adds up") {
  for (int i = 0; i < 10; ++i) tell(channel, "_zpc_more", 3);
  CHECK(items(channel) == 31);
}

TEST_CASE_FIXTURE(EndlessStream, "an integral float is a grant, as Node may send it") {
  tell(channel, "_zpc_more", 2.0);
  CHECK(items(channel) == 3);
}

TEST_CASE_FIXTURE(EndlessStream, "a grant that is no number, or below zero, is ignored") {
  tell(channel, "_zpc_more", -5);
  tell(channel, "_zpc_more", -5.0);
  tell(channel, "_zpc_more", 1.5);
  tell(channel, "_zpc_more", "many");
  tell(channel, "_zpc_more", nullptr);
  tell(channel, "_zpc_more");
  for (const std::string& args : {packed(nullptr), packed(3), packed("ab")})
    receive("alice", {.response_to = channel.id, .name = "_zpc_more", .args = args});
  CHECK(items(channel) == 1);
  tell(channel, "_zpc_more", 1);
  CHECK(items(channel) == 1);
}

TEST_CASE_FIXTURE(Streams, "credit beyond the limit is not kept") {
  const Channel channel = count(2'000'000);
  tell(channel, "_zpc_more", std::numeric_limits<std::uint64_t>::max());
  tell(channel, "_zpc_more", std::numeric_limits<std::uint64_t>::max());
  int turns = 0;
  while (std::exchange(sink.messages, {}).size() > 0) {
    timers.advance_to(timers.now() + 1ms);
    if (++turns % 1000 == 0) tell(channel, "_zpc_hb", 0);
  }
  // The first item and the batch that left before the second grant, then the limit.
  CHECK(made == 1 + 64 + 1'000'000);
}

TEST_CASE("a limit of the configuration may be above the usual one, and holds too") {
  StreamRig rig({.name = "math", .limits = {}, .channel = {.max_credit = 3'000'000}});
  rig.add_methods();
  const Channel channel = rig.count(kEndless);
  for (int i = 0; i < 5; ++i) rig.tell(channel, "_zpc_more", 1'000'000);
  int turns = 0;
  while (std::exchange(rig.sink.messages, {}).size() > 0) {
    rig.timers.advance_to(rig.timers.now() + 100us);
    if (++turns % 1000 == 0) rig.tell(channel, "_zpc_hb", 0);
  }
  CHECK(rig.made == 1 + 64 + 3'000'000);
}

TEST_CASE("a limit of the configuration holds the credit") {
  StreamRig rig({.name = "math", .limits = {}, .channel = {.max_credit = 10}});
  rig.add_methods();
  const Channel channel = rig.count(kEndless);
  rig.tell(channel, "_zpc_more", 1000);
  CHECK(rig.items(channel) == 11);
}

TEST_CASE_FIXTURE(Streams, "below version 3 a heartbeat's number is a grant") {
  const Channel channel = send({.name = "count", .args = list(9), .version = 2});
  tell(channel, "_zpc_hb", 2);
  CHECK(heard(channel) == "STREAM 0; STREAM 1; STREAM 2; _zpc_hb [0]");
}

TEST_CASE_FIXTURE(Streams, "from version 3 on a heartbeat's number is no grant") {
  const Channel channel = count(9);
  tell(channel, "_zpc_hb", 2);
  CHECK(heard(channel) == "STREAM 0; _zpc_hb [0]");
}

TEST_CASE_FIXTURE(Streams, "two endless streams and a plain call share the loop: 64 items a turn each") {
  const Channel one = count(kEndless);
  const Channel two = count(kEndless);
  tell(one, "_zpc_more", 1'000'000);
  tell(two, "_zpc_more", 1'000'000);
  CHECK(items(one) == 65);
  CHECK(items(two) == 65);
  CHECK(heard(call("add", 3, 4)) == "OK [7]");
  for (int turn = 0; turn < 3; ++turn) {
    timers.advance_to(timers.now() + 1ms);
    CHECK(items(one) == 64);
    CHECK(items(two) == 64);
  }
}

TEST_CASE_FIXTURE(EndlessStream, "a grant does not let a stream jump its turn") {
  tell(channel, "_zpc_more", 1000);
  tell(channel, "_zpc_more", 1000);
  CHECK(items(channel) == 65);
}

TEST_CASE_FIXTURE(EndlessStream, "a stream pauses while its client does not read, and goes on after it") {
  sink.delivery = rpc::Delivery::kHeld;
  tell(channel, "_zpc_more", 50);
  CHECK(items(channel) == 2);
  tell(channel, "_zpc_more", 50);
  CHECK(items(channel) == 0);
  sink.delivery = rpc::Delivery::kSent;
  pass(20ms);
  CHECK(items(channel) == 99);
}

TEST_CASE_FIXTURE(Streams, "heartbeats go on while a stream waits for credit, and none is taken for credit") {
  const Channel channel = count(9);
  heard(channel);
  pass(5s);
  CHECK(heard(channel) == "_zpc_hb [0]");
}

TEST_CASE_FIXTURE(ServerRig,
                  "the generator is let go of when the stream ends, is cancelled, or loses its client") {
  std::weak_ptr<int> alive;
  server.method("hold", "", [&alive] {
    auto token = std::make_shared<int>(1);
    alive = token;
    return rpc::Stream<int>([token] { return std::exchange(*token, 0) ? std::optional(1) : std::nullopt; });
  });
  Channel channel = call("hold");
  CHECK_FALSE(alive.expired());
  SUBCASE("ended") { tell(channel, "_zpc_more", 5); }
  SUBCASE("cancelled") { tell(channel, "_zpx_cancel"); }
  SUBCASE("lost") { pass(16s); }
  CHECK(alive.expired());
}

}  // namespace zerosuite::test::stream_test
