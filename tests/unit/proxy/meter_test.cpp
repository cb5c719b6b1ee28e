#include "proxy/meter.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "support/events.hpp"
#include "support/fakes.hpp"
#include "support/golden.hpp"

namespace zerosuite::test::meter_test {

using proxy::Meter;

wire::Envelope client(const std::string& name) {
  wire::Envelope envelope;
  REQUIRE(envelope.push(name));
  return envelope;
}

// A stock server's side of one connection: what it was granted, and what it may send.
struct Rig {
  Meter::Call* open(const std::string& id, const std::string& who = "alice") {
    payloads.push_back(encode({.id = bin_id(id), .name = "count"}));
    return meter.open(client(who), wire::peek(payloads.back(), {}), kStart);
  }
  void hear(Meter::Call& call, std::string_view name) {
    const std::string payload = encode({.response_to = call.id, .name = std::string(name)});
    meter.heard(call, wire::peek(payload, {}));
  }
  /// Everything that is passed on now, in order.
  std::vector<std::pair<std::string, std::uint32_t>> grants() {
    std::vector<std::pair<std::string, std::uint32_t>> all;
    while (const auto grant = meter.next()) all.emplace_back(wire::id_text(grant->call->id), grant->events);
    return all;
  }

  Meter meter;
  std::deque<std::string> payloads;
};

using Grants = std::vector<std::pair<std::string, std::uint32_t>>;

TEST_CASE_FIXTURE(
    Rig,
    "calls are taken while there is room for their answers and heartbeats, and again when some have ended") {
  std::vector<Meter::Call*> calls;
  while (meter.has_room()) calls.push_back(open(std::to_string(calls.size())));
  CHECK(calls.size() == Meter::kForEither / Meter::kForCall);
  CHECK(meter.used() == Meter::kForEither);
  hear(*calls[5], wire::kOk);
  CHECK(meter.has_room());
  hear(*calls[6], wire::kHeartbeat);
  CHECK(meter.used() == Meter::kForEither - Meter::kForCall);
  meter.close_all([](const Meter::Call&) {});
  CHECK(meter.used() == 0);
  CHECK(meter.empty());
}

TEST_CASE_FIXTURE(
    Rig,
    "a grant is passed on once the last is used up, and the sum of all stays below what a stock socket "
    "holds") {
  Meter::Call* const one = open("one");
  meter.grant(*one, 100);
  CHECK(grants().empty());  // its first event is still to come
  hear(*one, wire::kStream);
  CHECK(grants() == Grants{{"one", 100}});
  for (int i = 0; i < 51; ++i) hear(*one, wire::kStream);
  meter.grant(*one, 51);
  CHECK(grants().empty());
  for (int i = 0; i < 49; ++i) hear(*one, wire::kStream);
  CHECK(grants() == Grants{{"one", 51}});

  std::size_t sent = 51;
  for (int i = 0; i < 60; ++i) {
    Meter::Call* const more = open("more" + std::to_string(i));
    meter.grant(*more, 1'000'000);
    hear(*more, wire::kStream);
    for (const auto& [id, events] : grants()) sent += events;
  }
  CHECK(sent <= Meter::kForEither);
  CHECK(meter.used() <= Meter::kRoom);
  CHECK(meter.has_room());  // what streams want keeps no call out
}

TEST_CASE("an answer finds its call by an id that is encoded another way") {
  Meter meter;
  const auto open = [&](const std::string& id) {
    return meter.open(client("alice"), wire::peek(encode({.id = id, .name = "add"}), {}), kStart);
  };
  Meter::Call* const number = open(packed(7));
  REQUIRE(number != nullptr);
  CHECK(meter.find(client("alice"), from_hex("cd0007")) == number);
  CHECK(meter.find(client("alice"), from_hex("cb401c000000000000")) == number);  // 7.0
  CHECK(meter.find(client("bob"), packed(7)) == nullptr);
  CHECK(open(from_hex("cd0007")) == nullptr);  // the same call again
  Meter::Call* const text = open(packed("seven"));
  CHECK(meter.find(client("alice"), bin_id("seven")) == text);
  Meter::Call* const bytes = open(bin_id("seven"));
  REQUIRE(bytes != nullptr);
  CHECK(meter.find(client("alice"), bin_id("seven")) == bytes);
  CHECK(meter.find(client("alice"), packed("seven")) == text);
}

TEST_CASE_FIXTURE(Rig, "streams get equal shares in turn, whatever they were granted") {
  std::vector<Meter::Call*> streams;
  for (int i = 0; i < 30; ++i) {
    streams.push_back(open(std::to_string(i)));
    hear(*streams.back(), wire::kStream);
  }
  for (Meter::Call* const each : streams) meter.grant(*each, 1000);
  const Grants first = grants();
  REQUIRE(first.size() == 30);
  for (const auto& [id, events] : first) CHECK(events == Meter::kForEither / 30);
  for (int i = 0; i < 10; ++i) hear(*streams[4], wire::kStream);
  CHECK(grants() == Grants{{"4", 10}});
}

TEST_CASE_FIXTURE(
    Rig, "a stream that has ended leaves its room, and one whose client has gone when its answer comes") {
  Meter::Call* const ended = open("ended");
  hear(*ended, wire::kStream);
  meter.grant(*ended, 300);
  CHECK(grants() == Grants{{"ended", 300}});
  Meter::Call* const next = open("next");
  hear(*next, wire::kStream);
  meter.grant(*next, 5);
  CHECK(grants().empty());
  hear(*ended, wire::kStreamDone);
  CHECK(grants() == Grants{{"next", 5}});

  meter.abandon(*next, kStart);
  meter.grant(*next, 5);
  for (int i = 0; i < 5; ++i) hear(*next, wire::kStream);
  CHECK(grants().empty());
  meter.expire(kStart + 30s);
  CHECK_FALSE(meter.empty());
  meter.expire(kStart + 31s);
  CHECK(meter.empty());
  CHECK(meter.used() == 0);
}

TEST_CASE_FIXTURE(Rig, "a client's heartbeats are passed on one at a time, until the server says something") {
  Meter::Call* const one = open("one");
  Meter::Call* const two = open("two");
  CHECK(meter.may_beat(*one));
  CHECK(meter.may_beat(*two));
  CHECK_FALSE(meter.may_beat(*one));
  hear(*two, wire::kHeartbeat);
  CHECK(meter.may_beat(*one));
  CHECK_FALSE(meter.may_beat(*one));
  meter.heard();
  CHECK(meter.may_beat(*one));
}

TEST_CASE_FIXTURE(Rig, "an id is found as text and as bytes, and belongs to its client") {
  Meter::Call* const call = open("x");
  CHECK(open("x") == nullptr);
  Meter::Call* const of_bob = open("x", "bob");
  CHECK(of_bob != call);
  CHECK(meter.find(client("alice"), bin_id("x")) == call);
  CHECK(meter.find(client("alice"), packed(std::string("x"))) == call);
  CHECK(meter.find(client("bob"), packed(std::string("x"))) == of_bob);
  CHECK(meter.find(client("carol"), bin_id("x")) == nullptr);
  CHECK(meter.find(client("alice"), bin_id("y")) == nullptr);
  CHECK(meter.has_call_from_before(kStart + 1s));
  CHECK_FALSE(meter.has_call_from_before(kStart));
}

}  // namespace zerosuite::test::meter_test
