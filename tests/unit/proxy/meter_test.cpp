#include "proxy/meter.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "support/events.hpp"
#include "support/fakes.hpp"

namespace zerosuite::test::meter_test {

using namespace std::chrono_literals;
using proxy::Meter;

wire::Envelope client(const std::string& name) {
  wire::Envelope envelope;
  REQUIRE(envelope.push(name));
  return envelope;
}

// A stock server's side of one connection: what it was granted, and what it may send.
struct Rig {
  Meter::Call* open(const std::string& id, const std::string& who = "alice") {
    payloads.push_back(test::encode({.id = test::bin_id(id), .name = "count"}));
    return meter.open(client(who), wire::peek(payloads.back(), {}), kStart);
  }
  void hear(Meter::Call& call, std::string_view name) {
    const std::string payload = test::encode({.response_to = call.id, .name = std::string(name)});
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

TEST_CASE(
    "calls are taken while there is room for their answers and heartbeats, and again when some have ended") {
  Rig rig;
  std::vector<Meter::Call*> calls;
  while (rig.meter.has_room()) calls.push_back(rig.open(std::to_string(calls.size())));
  CHECK(calls.size() == Meter::kForEither / Meter::kForCall);
  CHECK(rig.meter.used() == Meter::kForEither);
  rig.hear(*calls[5], wire::kOk);
  CHECK(rig.meter.has_room());
  rig.hear(*calls[6], wire::kHeartbeat);
  CHECK(rig.meter.used() == Meter::kForEither - Meter::kForCall);
  rig.meter.close_all([](const Meter::Call&) {});
  CHECK(rig.meter.used() == 0);
  CHECK(rig.meter.empty());
}

TEST_CASE(
    "a grant is passed on once the last is used up, and the sum of all stays below what a stock socket "
    "holds") {
  Rig rig;
  Meter::Call* const one = rig.open("one");
  rig.meter.grant(*one, 100);
  CHECK(rig.grants().empty());  // its first event is still to come
  rig.hear(*one, wire::kStream);
  CHECK(rig.grants() == Grants{{"one", 100}});
  for (int i = 0; i < 51; ++i) rig.hear(*one, wire::kStream);
  rig.meter.grant(*one, 51);
  CHECK(rig.grants().empty());
  for (int i = 0; i < 49; ++i) rig.hear(*one, wire::kStream);
  CHECK(rig.grants() == Grants{{"one", 51}});

  std::size_t sent = 51;
  for (int i = 0; i < 60; ++i) {
    Meter::Call* const more = rig.open("more" + std::to_string(i));
    rig.meter.grant(*more, 1'000'000);
    rig.hear(*more, wire::kStream);
    for (const auto& [id, events] : rig.grants()) sent += events;
  }
  CHECK(sent <= Meter::kForEither);
  CHECK(rig.meter.used() <= Meter::kRoom);
  CHECK(rig.meter.has_room());  // what streams want keeps no call out
}

TEST_CASE("an answer finds its call by an id that is encoded another way") {
  Meter meter;
  const auto open = [&](const std::string& id) {
    return meter.open(client("alice"), wire::peek(test::encode({.id = id, .name = "add"}), {}), kStart);
  };
  Meter::Call* const number = open(test::packed(7));
  REQUIRE(number != nullptr);
  CHECK(meter.find(client("alice"), test::unhex("cd0007")) == number);
  CHECK(meter.find(client("alice"), test::unhex("cb401c000000000000")) == number);  // 7.0
  CHECK(meter.find(client("bob"), test::packed(7)) == nullptr);
  CHECK(open(test::unhex("cd0007")) == nullptr);  // the same call again
  Meter::Call* const text = open(test::packed("seven"));
  CHECK(meter.find(client("alice"), test::bin_id("seven")) == text);
  Meter::Call* const bytes = open(test::bin_id("seven"));
  REQUIRE(bytes != nullptr);
  CHECK(meter.find(client("alice"), test::bin_id("seven")) == bytes);
  CHECK(meter.find(client("alice"), test::packed("seven")) == text);
}

TEST_CASE("streams get equal shares in turn, whatever they were granted") {
  Rig rig;
  std::vector<Meter::Call*> streams;
  for (int i = 0; i < 30; ++i) {
    streams.push_back(rig.open(std::to_string(i)));
    rig.hear(*streams.back(), wire::kStream);
  }
  for (Meter::Call* const each : streams) rig.meter.grant(*each, 1000);
  const Grants first = rig.grants();
  REQUIRE(first.size() == 30);
  for (const auto& [id, events] : first) CHECK(events == Meter::kForEither / 30);
  for (int i = 0; i < 10; ++i) rig.hear(*streams[4], wire::kStream);
  CHECK(rig.grants() == Grants{{"4", 10}});
}

TEST_CASE("a stream that has ended leaves its room, and one whose client has gone when its answer comes") {
  Rig rig;
  Meter::Call* const ended = rig.open("ended");
  rig.hear(*ended, wire::kStream);
  rig.meter.grant(*ended, 300);
  CHECK(rig.grants() == Grants{{"ended", 300}});
  Meter::Call* const next = rig.open("next");
  rig.hear(*next, wire::kStream);
  rig.meter.grant(*next, 5);
  CHECK(rig.grants().empty());
  rig.hear(*ended, wire::kStreamDone);
  CHECK(rig.grants() == Grants{{"next", 5}});

  rig.meter.abandon(*next, kStart);
  rig.meter.grant(*next, 5);
  for (int i = 0; i < 5; ++i) rig.hear(*next, wire::kStream);
  CHECK(rig.grants().empty());
  rig.meter.expire(kStart + 30s);
  CHECK_FALSE(rig.meter.empty());
  rig.meter.expire(kStart + 31s);
  CHECK(rig.meter.empty());
  CHECK(rig.meter.used() == 0);
}

TEST_CASE("a client's heartbeats are passed on one at a time, until the server says something") {
  Rig rig;
  Meter::Call* const one = rig.open("one");
  Meter::Call* const two = rig.open("two");
  CHECK(rig.meter.may_beat(*one));
  CHECK(rig.meter.may_beat(*two));
  CHECK_FALSE(rig.meter.may_beat(*one));
  rig.hear(*two, wire::kHeartbeat);
  CHECK(rig.meter.may_beat(*one));
  CHECK_FALSE(rig.meter.may_beat(*one));
  rig.meter.heard();
  CHECK(rig.meter.may_beat(*one));
}

TEST_CASE("an id is found as text and as bytes, and belongs to its client") {
  Rig rig;
  Meter::Call* const call = rig.open("x");
  CHECK(rig.open("x") == nullptr);
  Meter::Call* const of_bob = rig.open("x", "bob");
  CHECK(of_bob != call);
  CHECK(rig.meter.find(client("alice"), test::bin_id("x")) == call);
  CHECK(rig.meter.find(client("alice"), test::packed(std::string("x"))) == call);
  CHECK(rig.meter.find(client("bob"), test::packed(std::string("x"))) == of_bob);
  CHECK(rig.meter.find(client("carol"), test::bin_id("x")) == nullptr);
  CHECK(rig.meter.find(client("alice"), test::bin_id("y")) == nullptr);
  CHECK(rig.meter.has_call_from_before(kStart + 1s));
  CHECK_FALSE(rig.meter.has_call_from_before(kStart));
}

}  // namespace zerosuite::test::meter_test
