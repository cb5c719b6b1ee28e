#include "lock/api/answer.hpp"

#include <utility>

namespace zerosuite::lock {
namespace {

using wire::Dict, wire::Integer, wire::List, wire::Value;

Value value(std::string_view text) { return {std::string(text)}; }
Value value(const char* text) { return {std::string(text)}; }
Value value(bool flag) { return {flag}; }
Value value(milliseconds duration) { return {Integer{duration.count()}}; }
Value value(std::integral auto number) { return {Integer{number}}; }
Value value(Value value) { return value; }

// A dict of text keys, entry by entry.
class Fields {
 public:
  template <class T>
  Fields& add(std::string_view key, T&& entry) {
    dict_.push_back({{std::string(key)}, value(std::forward<T>(entry))});
    return *this;
  }
  Value take() { return {std::move(dict_)}; }

 private:
  Dict dict_;
};

Value texts(const std::vector<std::string>& texts) {
  List list;
  for (const std::string& text : texts) list.push_back({text});
  return {std::move(list)};
}

Value value_of(const Histogram& histogram) {
  Dict dict;
  for (std::size_t i = 0; i < Histogram::kBuckets; ++i) {
    if (histogram.buckets()[i] != 0)
      dict.push_back({{std::to_string(Histogram::below_ms(i))}, {Integer{histogram.buckets()[i]}}});
  }
  return {std::move(dict)};
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
  return Fields()
      .add("valid", check.valid)
      .add("current_token", check.current == 0 ? Value() : value(check.current))
      .add("owner", check.current == 0 ? Value() : value(check.owner))
      .add("remaining_ms", check.remaining)
      .take();
}

Value value_of(const Event& event) {
  Fields fields;
  fields.add("event", word(event.kind));
  switch (event.kind) {
    case Event::Kind::kOpen:
      if (!event.text.empty()) fields.add("session", event.text).add("ttl_ms", event.remaining);
      return fields.take();
    case Event::Kind::kDrain:
      return fields.take();
    case Event::Kind::kOverflow:
      return fields.add("missed", event.missed).take();
    default:
      break;
  }
  fields.add("name", event.name).add("owner", event.owner).add("token", event.token);
  fields.add("remaining_ms", event.remaining);
  if (event.kind == Event::Kind::kRevoked) fields.add("reason", event.text);
  if (event.kind == Event::Kind::kSuspect) fields.add("session", event.text);
  return fields.take();
}

Value value_of(const HolderView& holder) {
  Fields fields;
  fields.add("owner", holder.owner)
      .add("token", holder.token)
      .add("mode", word(holder.mode))
      .add("hold_count", holder.count)
      .add("remaining_ms", holder.remaining)
      .add("held_ms", holder.held);
  if (holder.mode == Mode::kPermits) fields.add("permits", holder.permits);
  if (!holder.session.empty()) fields.add("session", holder.session);
  if (!holder.data.empty()) fields.add("data", holder.data);
  return fields.take();
}

Value value_of(const NameView& name) {
  List holders;
  for (const HolderView& holder : name.holders) holders.push_back(value_of(holder));
  List waiters;
  for (const WaiterView& waiter : name.waiters)
    waiters.push_back(Fields()
                          .add("owner", waiter.owner)
                          .add("mode", word(waiter.mode))
                          .add("waited_ms", waiter.waited)
                          .take());
  Fields fields;
  fields.add("name", name.name)
      .add("kind", name.semaphore ? "semaphore" : "lock")
      .add("held", !name.holders.empty())
      .add("holders", Value{std::move(holders)})
      .add("holder_count", name.holder_count)
      .add("waiters", Value{std::move(waiters)})
      .add("queue_len", name.queue_length);
  if (name.semaphore) fields.add("limit", name.limit);
  return fields.take();
}

Value value_of(const Page& page) {
  List names;
  for (const NameView& name : page.names) names.push_back(value_of(name));
  return Fields().add("locks", Value{std::move(names)}).add("cursor", page.cursor).take();
}

Value value_of(const BatchResult& result, std::string_view done) {
  List lost;
  for (const Missed& missed : result.missed)
    lost.push_back({List{value(missed.name), value(missed.token), value(missed.error.name)}});
  return Fields().add(done, texts(result.done)).add("lost", Value{std::move(lost)}).take();
}

Value value_of(const Capabilities& engine) {
  return Fields()
      .add("engine", engine.engine)
      .add("durability", engine.durability)
      .add("fair", engine.fair)
      .add("exclusion", engine.exclusion)
      .add("clock", engine.clock)
      .add("fencing", engine.fencing)
      .add("shared", engine.context)
      .add("semaphores", engine.semaphores)
      .add("atomic_sets", engine.atomic_sets)
      .add("indefinite", engine.indefinite)
      .add("survives_restart", engine.survives_restart)
      .take();
}

Value value_of(const Counters& counters) {
  return Fields()
      .add("grants", counters.grants)
      .add("reentries", counters.reentries)
      .add("replays", counters.replays)
      .add("busy", counters.busy)
      .add("timeouts", counters.timeouts)
      .add("withdrawn", counters.withdrawn)
      .add("deadlocks", counters.deadlocks)
      .add("releases", counters.releases)
      .add("extensions", counters.extensions)
      .add("expired", counters.expired)
      .add("revoked", counters.revoked)
      .add("sessions_lost", counters.sessions_lost)
      .add("waited_below_ms", value_of(counters.waited))
      .add("held_below_ms", value_of(counters.held))
      .take();
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
