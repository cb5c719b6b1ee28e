// What a server does with damaged messages, with too many calls, and at its end.
#include <doctest/doctest.h>

#include "rpc/server/drop_log.hpp"
#include "support/golden.hpp"
#include "support/server_rig.hpp"

namespace zerosuite::test::server_limits_test {

constexpr auto kWait = "wait";

// A server whose calls stay open.
struct Rig : ServerRig {
  explicit Rig(rpc::ServerOptions options = {.name = "math", .limits = {}, .channel = {}})
      : ServerRig(std::move(options)) {
    server.method(kWait, "", [this](rpc::Reply<int> reply) {
      reply.on_lost([this] { ++lost; });
      replies.push_back(std::move(reply));
    });
  }
  Channel open(const std::string& peer = "alice") { return send({.name = kWait}, peer); }
  std::uint64_t faults(wire::Fault fault) const {
    return server.stats().faults[static_cast<std::size_t>(fault)];
  }
  std::uint64_t drops(rpc::Drop drop) const { return server.stats().drops[static_cast<std::size_t>(drop)]; }

  std::vector<rpc::Reply<int>> replies;
  int lost = 0;
};

std::string nested(int depth) { return std::string(static_cast<std::size_t>(depth), '\x91') + '\x01'; }

struct Reports final : rpc::Observer {
  void dropped(const wire::Envelope& peer, std::string_view reason) override {
    std::string from;
    peer.for_each([&](std::string_view frame) { from += frame; });
    lines.push_back(from + ": " + std::string(reason));
  }
  std::vector<std::string> lines;
};

TEST_CASE("a damaged call whose id can be read gets an ERR that names what is wrong") {
  Rig rig({.name = "math", .limits = {.max_frame_bytes = 500}, .channel = {}});
  const auto answer = [&](const std::string& payload, const std::string& channel) {
    rig.receive("alice", payload);
    return rig.heard({"alice", channel});
  };
  const std::string id = bin_id("id-1");
  const auto error = [](const std::string& name, wire::Fault fault) {
    const std::string text(wire::describe(fault));
    return "ERR [\"" + name + "\", \"" + text + "\", \"" + name + ": " + text + "\n\"]";
  };
  const std::string whole = encode({.id = id, .name = kWait, .args = list("abc")});

  CHECK(answer(encode({.id = id, .name = kWait, .args = nested(65)}), id) ==
        error("InvalidArgument", wire::Fault::kTooDeep));
  CHECK(answer(whole.substr(0, whole.size() - 1), id) == error("InvalidArgument", wire::Fault::kDamagedArgs));
  CHECK(answer(encode({.id = id, .name = kWait, .args = list(std::string(600, 'x'))}), id) ==
        error("TooLarge", wire::Fault::kTooLarge));
  const auto name_at = whole.find("\xa4wait");
  CHECK(answer(whole.substr(0, name_at) + '\x05' + whole.substr(name_at + 5), id) ==
        error("TypeError", wire::Fault::kBadName));
  CHECK(rig.server.stats().calls == 0);
  CHECK(rig.server.stats().errors == 4);
  CHECK(rig.faults(wire::Fault::kTooDeep) == 1);
}

TEST_CASE("arguments of more values than the limit are refused") {
  Rig rig({.name = "math", .limits = {.max_elements = 10}, .channel = {}});
  CHECK(rig.heard(rig.call(kWait, std::vector<int>(20))).starts_with("ERR [\"InvalidArgument\""));
  CHECK(rig.faults(wire::Fault::kTooMany) == 1);
}

TEST_CASE_FIXTURE(Rig, "a damaged event of an open channel is dropped, and the call goes on") {
  const Channel channel = open();
  receive("alice", {.response_to = channel.id, .name = "_zpc_more", .args = nested(70)});
  CHECK(heard(channel).empty());
  replies.at(0)(7);
  CHECK(heard(channel) == "OK [7]");
}

TEST_CASE_FIXTURE(Rig, "a message nobody could be told about is counted and dropped") {
  receive("alice", "");
  receive("alice", "\xc1");
  receive("alice", std::string("\x93\x81\xaa", 3));
  CHECK(faults(wire::Fault::kNotMsgpack) == 3);
  receive("alice", list(1, 2));
  receive("alice", packed(5));
  CHECK(faults(wire::Fault::kNotAnEvent) == 2);
  for (const std::string& id : {std::string(), packed(nullptr), list(1), bin_id(std::string(20'000, 'x'))})
    receive("alice", {.id = id, .name = kWait});
  CHECK(faults(wire::Fault::kNoId) == 4);
  CHECK(sink.messages.empty());
  CHECK(server.stats().calls == 0);
}

TEST_CASE_FIXTURE(Rig, "a message with more identity frames than the limit, or one too long, is dropped") {
  const std::string payload = encode({.name = "_zerorpc_name"});
  const auto with_hops = [&](std::size_t hops, std::string_view identity) {
    std::vector<std::string_view> frames(hops, identity);
    frames.insert(frames.end(), {"", payload});
    server.receive(frames);
  };
  with_hops(16, "hop");
  CHECK(sink.messages.size() == 1);
  with_hops(17, "hop");
  const std::string endless(256, 'x');
  with_hops(1, endless);
  server.receive({});
  CHECK(sink.messages.size() == 1);
  CHECK(drops(rpc::Drop::kEnvelope) == 3);
}

TEST_CASE_FIXTURE(Rig, "drops are reported once for each peer, reason and minute") {
  Reports reports;
  server.observe(reports);
  for (int i = 0; i < 3; ++i) {
    receive("alice", "");
    receive("bob", "");
    receive("alice", {.id = {}, .name = kWait});
  }
  const std::vector<std::string> once{"alice: not MessagePack", "bob: not MessagePack",
                                      "alice: no usable message_id"};
  CHECK(reports.lines == once);
  pass(59s);
  receive("alice", "");
  CHECK(reports.lines == once);
  pass(1s);
  receive("alice", "");
  CHECK(reports.lines.size() == 4);
}

TEST_CASE_FIXTURE(Rig, "late events are counted but not reported") {
  Reports reports;
  server.observe(reports);
  tell({"alice", fresh_id()}, "_zpc_more", 1);
  CHECK(reports.lines.empty());
  CHECK(drops(rpc::Drop::kLate) == 1);
}

TEST_CASE("a flood from ever new peers is reported a thousand times a minute at most") {
  rpc::DropLog log;
  int reported = 0;
  for (int i = 0; i < 5000; ++i)
    reported += log.first(ServerRig::envelope(std::to_string(i)), "noise", kStart) ? 1 : 0;
  CHECK(reported == 1024);
  CHECK(log.first(ServerRig::envelope("later"), "noise", kStart + 1min));
}

TEST_CASE("a peer with as many open calls as it may have is Overloaded; others are not") {
  Rig rig({.name = "math", .limits = {}, .channel = {}, .max_channels_per_peer = 2});
  rig.open();
  const Channel second = rig.open();
  CHECK(rig.heard(rig.open()).starts_with("ERR [\"Overloaded\""));
  CHECK(rig.heard(rig.open("bob")).empty());
  rig.replies.at(1)(7);
  CHECK(rig.heard(second) == "OK [7]");
  CHECK(rig.heard(rig.open()).empty());
}

TEST_CASE("no client can have all the open calls there may be: one gets half, and others find room") {
  Rig rig({.name = "math", .limits = {}, .channel = {}, .max_channels = 160});
  for (int i = 0; i < 160; ++i) rig.open("greedy");
  CHECK(rig.server.stats().channels == 75);
  CHECK(rig.heard(rig.open("greedy")).find("max_channels is 160") != std::string::npos);
  for (int i = 0; i < 30; ++i) CHECK(rig.heard(rig.open("honest")).empty());
}

TEST_CASE("a client is counted as a whole, whatever it writes into its envelope") {
  Rig rig({.name = "math", .limits = {}, .channel = {}, .max_channels_per_peer = 2});
  const std::string payload = encode({.name = kWait});
  for (const std::string_view made_up : {"a", "b", "c"}) {
    const std::array<std::string_view, 4> frames{"alice", made_up, "", payload};
    rig.server.receive(frames);
  }
  CHECK(rig.server.stats().channels == 2);
}

TEST_CASE("what gives something back finds the room that is kept back") {
  Rig rig({.name = "math", .limits = {}, .channel = {}, .max_channels_per_peer = 16});
  Kept<int> release;
  rig.server.method("release", "", release.method()).relief = true;
  for (int i = 0; i < 16; ++i) rig.open();
  CHECK(rig.heard(rig.open()).starts_with("ERR [\"Overloaded\""));
  const Channel channel = rig.call("release");
  CHECK(rig.heard(channel).empty());
  CHECK(rig.heard(rig.call("release")).starts_with("ERR [\"Overloaded\""));
  (*release.reply)(1);
  CHECK(rig.heard(channel) == "OK [1]");
}

TEST_CASE("an open call keeps of its header nothing that nobody asks for, and a long id counts for many") {
  Rig rig({.name = "math", .limits = {}, .channel = {}, .max_channels_per_peer = 10});
  wire::Context pad;
  pad.add("pad", std::string(10'000, 'p'));
  pad.add("traceparent", "00-1-2-01");
  const Channel padded = rig.send({.name = kWait, .extra = &pad});
  CHECK(rig.replies.at(0).call().header.size() < 100);
  CHECK(wire::header_text(rig.replies.at(0).call().header, "traceparent") == "00-1-2-01");
  rig.receive("bob", {.id = bin_id(std::string(9'000, 'i')), .name = kWait});
  CHECK(rig.server.stats().channels == 2);
  rig.receive("bob", {.id = bin_id("short"), .name = kWait});
  rig.receive("bob", {.id = bin_id("one more"), .name = kWait});
  CHECK(rig.server.stats().channels == 3);
  rig.replies.at(0)(7);
  CHECK(rig.heard(padded) == "OK [7]");
}

TEST_CASE_FIXTURE(Rig, "a header above its limit is refused by name") {
  wire::Context pad;
  pad.add("pad", std::string(17'000, 'p'));
  CHECK(heard(send({.name = kWait, .extra = &pad})).starts_with("ERR [\"TooLarge\", \"the header"));
  CHECK(faults(wire::Fault::kLongHeader) == 1);
}

TEST_CASE("an id of any type is echoed as it came, and is the same id however a later event encodes it") {
  for (const std::string& id : {packed(""), bin_id(""), packed(1.5), packed(true), packed(false),
                                bin_id(std::string(5'000, 'x')), packed(0), packed(-1)}) {
    Rig rig;
    rig.receive("alice", {.id = id, .name = kWait});
    REQUIRE(rig.replies.size() == 1);
    rig.replies.at(0)(7);
    CHECK(rig.heard({"alice", id}) == "OK [7]");
  }
  Rig rig;
  rig.receive("alice", {.id = packed(5), .name = kWait});
  for (const std::string& wide : {from_hex("d30000000000000005"), packed(5.0)}) {
    rig.receive("alice", {.id = wide, .name = kWait});
    CHECK(rig.server.stats().channels == 1);
  }
  CHECK(rig.drops(rpc::Drop::kDuplicateId) == 2);
  rig.receive("alice", {.response_to = from_hex("cc05"), .name = "_zpx_cancel"});
  CHECK(rig.lost == 1);
}

TEST_CASE("with as many open calls as there may be in all, everybody is Overloaded") {
  Rig rig({.name = "math", .limits = {}, .channel = {}, .max_channels = 2});
  rig.open("alice");
  rig.open("bob");
  CHECK(rig.heard(rig.open("carol")).starts_with("ERR [\"Overloaded\""));
  CHECK(rig.server.stats().channels == 2);
  CHECK(rig.heard(rig.send({.name = "_zerorpc_name"}, "carol")) == R"(OK ["math"])");
}

TEST_CASE_FIXTURE(Rig, "when a connection has ended, every call of its client is lost, and no other") {
  open();
  send({.name = kWait, .version = 1});
  open("bob");
  server.lose_connection("alice");
  turn();
  CHECK(lost == 2);
  CHECK(server.stats().channels == 1);
  CHECK(sink.messages.empty());
}

TEST_CASE_FIXTURE(
    Rig, "very many calls of a connection that has ended are lost in turns, and none of them is answered") {
  for (int i = 0; i < 1'000; ++i) open();
  const Channel bob = open("bob");
  piece = 10us;
  server.lose_connection("alice");
  CHECK(lost == 0);
  turn();
  const int at_once = lost;
  CHECK(at_once > 100);
  CHECK(at_once < 900);

  SUBCASE("others are served in between, and so is the next connection of that identity") {
    replies.at(1'000)(7);
    CHECK(heard(bob) == "OK [7]");
    const Channel again = open();
    replies.back()(8);
    CHECK(heard(again) == "OK [8]");
  }
  SUBCASE("a method that answers one of them before it is told, is told of it next") {
    piece = 1s;
    replies.at(999)(7);
    turn();
    CHECK(lost == at_once + 1);
    bool told = false;
    replies.at(999).on_lost([&] { told = true; });
    CHECK(told);
    piece = 10us;
  }
  SUBCASE("they are all told when the server is stopped meanwhile") {
    server.abort();
    CHECK(lost == 1'001);
    CHECK(heard(bob).starts_with("ERR"));
  }
  SUBCASE("a server that drains is idle when the last one was told") {
    replies.at(1'000)(7);
    heard(bob);
    int idle = 0;
    server.drain([&] { ++idle; });
    CHECK(idle == 0);
    while (server.stats().channels > 0) turn();
    CHECK(idle == 1);
  }
  int turns = 0;
  for (; lost < 1'000; ++turns) turn();
  CHECK(turns < 8);
  CHECK(sink.messages.empty());
}

TEST_CASE_FIXTURE(
    Rig, "when a send finds nobody of that identity, every call of that peer is lost, and no other") {
  open();
  open();
  const Channel bob = open("bob");
  sink.delivery = rpc::Delivery::kGone;
  SUBCASE("by a later answer") { replies.at(0)(7); }
  SUBCASE("by an error") { replies.at(0)(core::Error{"Busy", "no"}); }
  SUBCASE("by an answer at once") { call("_zerorpc_name"); }
  SUBCASE("by the refusal of an unknown method") { call("nosuch"); }
  SUBCASE("by the refusal of damaged arguments") { send({.name = kWait, .args = nested(70)}); }
  sink.delivery = rpc::Delivery::kSent;
  CHECK(lost == 0);
  turn();
  CHECK(lost == 2);
  CHECK(server.stats().channels == 1);
  replies.at(2)(7);
  CHECK(heard(bob) == "OK [7]");
}

TEST_CASE_FIXTURE(Rig, "a draining server refuses new calls, finishes the open ones, and then says so") {
  const Channel channel = open();
  int idle = 0;
  server.drain([&] { ++idle; });
  CHECK(heard(call("_zerorpc_name")).starts_with("ERR [\"ShuttingDown\", \"math is stopping"));
  CHECK(idle == 0);
  replies.at(0)(7);
  CHECK(heard(channel) == "OK [7]");
  CHECK(idle == 1);
  pass(1min);
  CHECK(idle == 1);
}

TEST_CASE("a call whose method is running is open to whatever ends calls meanwhile") {
  ServerRig rig;
  std::vector<rpc::Reply<int>> replies;
  int lost = 0;
  bool idle = false;
  const auto method = [&](const char* name, const std::function<void()>& meanwhile) {
    rig.server.method(name, "", [&, meanwhile](const rpc::Reply<int>& reply) {
      reply.on_lost([&] { ++lost; });
      replies.push_back(reply);
      meanwhile();
    });
  };
  method("wait", [] {});
  method("gone", [&] { replies.front()(1); });
  method("end", [&] { rig.server.lose_connection("alice"); });
  method("stop", [&] { rig.server.abort(); });
  method("drain", [&] { rig.server.drain([&] { idle = true; }); });
  rig.send({.name = "wait"});
  rig.sink.delivery = rpc::Delivery::kGone;
  rig.send({.name = "gone"});
  rig.turn();
  CHECK(lost == 2);
  rig.sink.delivery = rpc::Delivery::kSent;
  rig.send({.name = "end"});
  rig.turn();
  CHECK(lost == 3);
  rig.send({.name = "stop"});
  CHECK(lost == 4);
  CHECK(rig.server.stats().channels == 0);
  rig.send({.name = "drain"});
  CHECK_FALSE(idle);
  replies.back()(1);
  CHECK(idle);
}

TEST_CASE_FIXTURE(Rig, "a server without open calls is drained at once") {
  int idle = 0;
  server.drain([&] { ++idle; });
  CHECK(idle == 1);
}

TEST_CASE_FIXTURE(Rig, "a draining server is idle as well when its last client is lost") {
  open();
  int idle = 0;
  server.drain([&] { ++idle; });
  pass(16s);
  CHECK(idle == 1);
}

TEST_CASE_FIXTURE(
    Rig, "aborting answers every open call with ShuttingDown, streams too, and tells their methods") {
  server.method("stream", "", [] { return rpc::Stream<int>([] { return std::optional(1); }); });
  const Channel one = open();
  const Channel two = open("bob");
  const Channel stream = call("stream");
  heard(stream);
  int idle = 0;
  server.drain([&] { ++idle; });
  server.abort();
  for (const Channel& channel : {one, two})
    CHECK(heard(channel).starts_with("ERR [\"ShuttingDown\", \"math stopped before wait() had answered\""));
  CHECK(heard(stream).starts_with("ERR [\"ShuttingDown\""));
  CHECK(lost == 2);
  CHECK(idle == 1);
  replies.at(0)(7);
  pass(1min);
  CHECK(sink.messages.empty());
}

}  // namespace zerosuite::test::server_limits_test
