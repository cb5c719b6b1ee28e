#include "lock/api/answer.hpp"

#include <utility>

namespace zerosuite::lock {
namespace {

using wire::Dict, wire::List, wire::Value;

Value value_of(const Histogram& histogram) {
  Dict dict;
  for (std::size_t i = 0; i < Histogram::kBuckets; ++i) {
    if (histogram.buckets()[i] != 0) dict.add(std::to_string(Histogram::below_ms(i)), histogram.buckets()[i]);
  }
  return dict;
}

}  // namespace

std::string_view word(Mode mode) {
  switch (mode) {
    case Mode::kExclusive:
      return "x";
    case Mode::kShared:
      return "s";
    case Mode::kPermits:
      return "permits";
  }
  return {};
}

std::string_view word(Busy::Reason reason) {
  switch (reason) {
    case Busy::Reason::kHeld:
      return "held";
    case Busy::Reason::kTimeout:
      return "timeout";
    case Busy::Reason::kQueued:
      return "queued";
  }
  return {};
}

Value value_of(const Check& check) {
  return Dict{{"valid", check.valid},
              {"current_token", check.current == 0 ? Value() : check.current},
              {"owner", check.current == 0 ? Value() : check.owner},
              {"remaining_ms", check.remaining}};
}

Value value_of(const Event& event) {
  Dict dict;
  dict.add("event", word(event.kind));
  switch (event.kind) {
    case Event::Kind::kOpen:
      if (!event.text.empty()) dict.add("session", event.text).add("ttl_ms", event.remaining);
      return dict;
    case Event::Kind::kDrain:
      return dict;
    case Event::Kind::kOverflow:
      return dict.add("missed", event.missed);
    default:
      break;
  }
  dict.add("name", event.name).add("owner", event.owner).add("token", event.token);
  dict.add("remaining_ms", event.remaining);
  if (event.kind == Event::Kind::kRevoked) dict.add("reason", event.text);
  if (event.kind == Event::Kind::kSuspect) dict.add("session", event.text);
  return dict;
}

Value value_of(const HolderView& holder) {
  Dict dict;
  dict.add("owner", holder.owner)
      .add("token", holder.token)
      .add("mode", word(holder.mode))
      .add("hold_count", holder.count)
      .add("remaining_ms", holder.remaining)
      .add("held_ms", holder.held);
  if (holder.mode == Mode::kPermits) dict.add("permits", holder.permits);
  if (!holder.session.empty()) dict.add("session", holder.session);
  if (!holder.data.empty()) dict.add("data", holder.data);
  return dict;
}

Value value_of(const NameView& name) {
  List holders;
  for (const HolderView& holder : name.holders) holders.push_back(value_of(holder));
  List waiters;
  for (const WaiterView& waiter : name.waiters)
    waiters.push_back(
        Dict{{"owner", waiter.owner}, {"mode", word(waiter.mode)}, {"waited_ms", waiter.waited}});
  Dict dict;
  dict.add("name", name.name)
      .add("kind", name.semaphore ? "semaphore" : "lock")
      .add("held", !name.holders.empty())
      .add("holders", std::move(holders))
      .add("holder_count", name.holder_count)
      .add("waiters", std::move(waiters))
      .add("queue_len", name.queue_length);
  if (name.semaphore) dict.add("limit", name.limit);
  return dict;
}

Value value_of(const Page& page) {
  List names;
  for (const NameView& name : page.names) names.push_back(value_of(name));
  return Dict{{"locks", std::move(names)}, {"cursor", page.cursor}};
}

Value value_of(const BatchResult& result, std::string_view done) {
  List lost;
  for (const Missed& missed : result.missed)
    lost.push_back(List{missed.name, missed.token, missed.error.name});
  return Dict{{done, List(result.done.begin(), result.done.end())}, {"lost", std::move(lost)}};
}

Value value_of(const Capabilities& engine) {
  return Dict{{"engine", engine.engine},
              {"durability", engine.durability},
              {"fair", engine.fair},
              {"exclusion", engine.exclusion},
              {"clock", engine.clock},
              {"fencing", engine.fencing},
              {"shared", engine.context},
              {"semaphores", engine.semaphores},
              {"atomic_sets", engine.atomic_sets},
              {"indefinite", engine.indefinite},
              {"survives_restart", engine.survives_restart}};
}

Value value_of(const Counters& counters) {
  return Dict{{"grants", counters.grants},
              {"reentries", counters.reentries},
              {"replays", counters.replays},
              {"busy", counters.busy},
              {"timeouts", counters.timeouts},
              {"withdrawn", counters.withdrawn},
              {"deadlocks", counters.deadlocks},
              {"releases", counters.releases},
              {"extensions", counters.extensions},
              {"expired", counters.expired},
              {"revoked", counters.revoked},
              {"sessions_lost", counters.sessions_lost},
              {"waited_below_ms", value_of(counters.waited)},
              {"held_below_ms", value_of(counters.held)}};
}

}  // namespace zerosuite::lock

namespace zerosuite::wire {
namespace {

using namespace lock;

template <class T>
void put(Packer& out, std::string_view key, const T& value) {
  pack_text(out, key);
  pack(out, value);
}

void put(Packer& out, std::string_view key, milliseconds value) { put(out, key, value.count()); }

void pack_granted(Packer& out, const Granted& granted, const AnswerView& view) {
  const bool set = granted.names.size() > 1 || view.form == AnswerView::Form::kNames;
  const bool ticket = !granted.ticket.empty();
  const bool permits = granted.mode == Mode::kPermits;
  out.pack_map(11 + (ticket ? 2 : 0) + (permits ? 1 : 0));
  put(out, "ok", true);
  if (set) {
    put(out, "names", granted.names);
  } else {
    put(out, "name", granted.names.front());
  }
  put(out, "owner", granted.owner);
  put(out, "token", granted.token);
  put(out, "lease_ms", granted.lease);
  put(out, "validity_ms", granted.validity);
  put(out, "hold_count", granted.count);
  put(out, "waited_ms", granted.waited);
  put(out, "mode", lock::word(granted.mode));
  put(out, "epoch", view.epoch);
  put(out, "replay", granted.replay);
  if (permits) put(out, "available", granted.available);
  if (!ticket) return;
  put(out, "state", std::string_view("granted"));
  put(out, "ticket", granted.ticket);
}

void pack_busy(Packer& out, const Busy& busy) {
  const bool queued = busy.reason == Busy::Reason::kQueued;
  out.pack_map(queued ? 8 : 5);
  put(out, "ok", false);
  put(out, "reason", lock::word(busy.reason));
  put(out, "holder", busy.holder);
  put(out, "remaining_ms", busy.remaining);
  put(out, "queue_len", busy.queue_length);
  if (!queued) return;
  put(out, "state", lock::word(busy.reason));
  put(out, "ticket", busy.ticket);
  put(out, "position", busy.position);
}

}  // namespace

void Foreign<lock::AnswerView>::pack(Packer& out, const lock::AnswerView& view) {
  if (const auto* granted = std::get_if<Granted>(&view.answer)) {
    pack_granted(out, *granted, view);
  } else {
    pack_busy(out, std::get<Busy>(view.answer));
  }
}

void Foreign<lock::Released>::pack(Packer& out, const lock::Released& released) {
  out.pack_map(4);
  put(out, "released", true);
  put(out, "hold_count", released.count);
  put(out, "held_ms", released.held);
  put(out, "replay", released.replay);
}

void Foreign<lock::Extended>::pack(Packer& out, const lock::Extended& extended) {
  out.pack_map(3);
  put(out, "ok", true);
  put(out, "remaining_ms", extended.remaining);
  put(out, "extensions", extended.extensions);
}

}  // namespace zerosuite::wire
