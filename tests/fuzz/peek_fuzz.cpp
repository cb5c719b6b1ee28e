// Any bytes at all, as the payload of a client's message and of a worker's to a proxy's router, and as what
// peek() reads. What must hold is aborted on, so that libFuzzer keeps the bytes for which it did not.
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "support/router_rig.hpp"

namespace zerosuite {
namespace {

using test::FakeOutlet;
using wire::Event;
using wire::Fault;
using wire::Limits;

constexpr Limits kTiny{.max_frame_bytes = 64, .max_id_bytes = 4, .max_nesting = 2, .max_elements = 6};

void hold(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

bool is_of_args(Fault fault) {
  return fault == Fault::kDamagedArgs || fault == Fault::kTooDeep || fault == Fault::kTooMany;
}

void check_peek(std::string_view payload, const Limits& limits) {
  const Event peeked = wire::peek(payload, limits);
  const Event decoded = wire::decode(payload, limits);
  hold(peeked.id == decoded.id && peeked.response_to == decoded.response_to && peeked.name == decoded.name &&
           peeked.header == decoded.header && peeked.version == decoded.version &&
           peeked.timeout_ms == decoded.timeout_ms,
       "peek() sees in front of the args what decode() sees");
  if (peeked.fault != Fault::kNone)
    return hold(decoded.fault == peeked.fault, "decode() sees the same fault");
  hold(decoded.fault == Fault::kNone || is_of_args(decoded.fault),
       "decode() finds more faults in the args alone");
  hold(peeked.args.data() + peeked.args.size() == payload.data() + payload.size(), "the rest is the args");
  hold(decoded.fault != Fault::kNone || peeked.args.starts_with(decoded.args),
       "decode() takes the args' value");
  wire::grant_of(peeked.args);
}

void check_renamed(std::string_view payload) {
  const Event event = wire::peek(payload, Limits{});
  if (event.fault != Fault::kNone) return;
  const std::string other = test::text_of(wire::renamed(payload, event, "another name"));
  const Event again = wire::peek(other, Limits{});
  hold(again.name == "another name" && again.header == event.header && again.args == event.args,
       "a payload under another name differs in the name alone");
}

// A router with two calls open, one on each of its workers, and room for one more.
struct Rig : test::RouterRig {
  explicit Rig(core::milliseconds settle)
      : RouterRig({.dispatch = {}, .max_channels = 3, .settle = settle}) {}

  // Every name leads somewhere else.
  FakeOutlet& own = join("m1", {.methods = {"add", "count", ""}, .idempotent = true, .sticky = true});
  FakeOutlet& stock =
      join("s1", {.service = "s", .methods = {"add", "x"}, .bare_names = true, .max_inflight = 1});
  Call first = call("count", 1);
  Call second = call("s.x", 1);
};

std::size_t count_of(const Rig& rig, const std::string& payload) {
  std::size_t count = 0;
  for (const FakeOutlet* const outlet : {&rig.own, &rig.stock}) {
    for (const test::Passed& message : outlet->messages) count += message.payload == payload ? 1 : 0;
  }
  return count;
}

void check_end(Rig& rig) {
  hold(rig.own.malformed + rig.stock.malformed + rig.front.malformed == 0, "messages keep their shape");
  rig.router.abort();
  hold(rig.open() == 0 && rig.router.dispatcher().queued() == 0, "every call ends");
  for (const FakeOutlet* const outlet : {&rig.own, &rig.stock}) {
    hold(outlet->worker->load.outstanding == 0 && outlet->worker->channels.empty(),
         "every worker is free again");
  }
}

void check_client(std::string_view payload, core::milliseconds settle) {
  Rig rig(settle);
  rig.own.messages.clear();
  rig.stock.messages.clear();
  const std::string bytes(payload);
  const Event event = wire::peek(bytes, Limits{});
  const bool taken = rig.receive("alice", bytes);
  hold(!taken || event.fault == Fault::kNone, "what is no event is left to the server");
  hold(rig.open() <= 3, "no more channels are open than may be");
  for (const test::Passed& message : rig.own.messages)
    hold(message.payload == bytes || message.event().name == wire::kCancel,
         "a payload is passed on as it is");
  hold(count_of(rig, bytes) <= 1, "a message goes to one worker");
  if (!taken) hold(rig.own.messages.empty() && rig.stock.messages.empty() && rig.open() == 2, "or to none");
  rig.receive("alice", bytes);
  rig.receive("bob", bytes);
  rig.pass(std::chrono::milliseconds(20));
  rig.lose(rig.join("m2", {.methods = {"add"}, .idempotent = true}));
  check_end(rig);
}

void check_worker(std::string_view payload) {
  Rig rig(core::milliseconds(-1));
  const Event event = wire::peek(payload, Limits{});
  const bool of_own =
      event.fault == Fault::kNone && wire::id_key(event.response_to) == wire::id_key(rig.first.id);
  rig.answer(rig.own, "alice", payload);
  hold(rig.front.messages.size() == (of_own ? 1U : 0U), "a worker is heard on the channels it has");
  if (of_own) hold(rig.front.messages.front().payload == payload, "what it says is passed on as it is");
  hold(of_own || rig.counters().strays == 1, "anything else is counted");
  rig.answer(rig.own, "alice", payload);
  rig.answer(rig.stock, "alice", payload);
  rig.answer(rig.stock, "bob", payload);
  hold(rig.counters().strays >= 2, "nobody else has that channel");
  check_end(rig);
}

// The same bytes behind a header that makes them a call's args, or those of a channel's later event. The last
// byte chooses, for all of them at once would be slow.
void check_as_args(std::string_view bytes) {
  constexpr std::array<std::string_view, 5> kCalls{"add", "s.add", "m.count", "nosuch", "nope.add"};
  constexpr std::array<std::string_view, 6> kLater{"OK",          "ERR",     "STREAM",
                                                   "STREAM_DONE", "_zpc_hb", "_zpc_more"};
  const std::size_t choice = bytes.empty() ? 0 : static_cast<unsigned char>(bytes.back());
  const std::string args(bytes);
  const std::string call(kCalls[choice % kCalls.size()]);
  check_client(test::encode({.id = test::bin_id("new"), .name = call, .args = args}), core::milliseconds(-1));
  const std::string later(kLater[choice % kLater.size()]);
  const std::string payload =
      test::encode({.response_to = test::bin_id("call-1"), .name = later, .args = args});
  check_worker(payload);
  check_client(payload, core::milliseconds(choice % 2 == 0 ? -1 : 1000));
}

}  // namespace
}  // namespace zerosuite

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace zerosuite;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const wire::Limits& limits : {wire::Limits{}, kTiny, wire::kChecked}) check_peek(bytes, limits);
  check_renamed(bytes);
  check_client(bytes, core::milliseconds(-1));
  check_worker(bytes);
  check_as_args(bytes);
  return 0;
}
