// The part of Acquires that keeps the queues: who is next, who has waited long enough, who leaves.
#include <vector>

#include "lock/broker/acquires.hpp"

namespace zerosuite::lock {

using core::Error;

// Very many waits may end in the same moment; some of them are granted before it is their turn.
void Acquires::on_timer(Waiter& waiter) {
  context_.chores.add([this, id = waiter.id] {
    Waiter* still = find(id);
    if (still != nullptr && still->state == Waiter::State::kQueued && !still->timer.armed()) end_wait(*still);
    return false;
  });
}

void Acquires::end_wait(Waiter& waiter) {
  if (waiter.is_ticket()) {
    if (waiter.done) return report_place(waiter);
    drop(waiter);
    return serve();
  }
  ++context_.counters.timeouts;
  Callback told = std::move(waiter.done);
  const Busy answer = busy(waiter.request.spec, Busy::Reason::kTimeout);
  drop(waiter);
  told(Answer(answer));
  serve();
}

void Acquires::report_place(Waiter& waiter) {
  Busy answer = busy(waiter.request.spec, Busy::Reason::kQueued);
  answer.ticket = waiter.ticket;
  answer.position = context_.table.position(waiter);
  waiter.timer.after(context_.limits.ticket_ttl);
  if (waiter.done) std::exchange(waiter.done, {})(Answer(std::move(answer)));
}

void Acquires::fail(Waiter& waiter, const Error& error) {
  Callback told = std::move(waiter.done);
  drop(waiter);
  if (told) told(error);
}

void Acquires::drop(Waiter& waiter) {
  const std::string owner = waiter.request.spec.owner;
  leave_line(waiter);
  dedup_.failed(waiter.request.spec, waiter.id);
  context_.table.remove(waiter);
  if (waiter.is_ticket()) tickets_.erase(waiter.ticket);
  acquires_.erase(waiter.id);
  if (Owner* known = context_.table.find_owner(owner)) context_.table.tidy(*known);
}

void Acquires::leave_line(Waiter& waiter) {
  if (waiter.places.empty()) return;
  for (const auto& [name, place] : waiter.places) touch(*name);
  context_.table.dequeue(waiter);
  waiter.line_seat = {};
  --waiting_;
}

void Acquires::touch(Name& name) {
  if (std::exchange(name.touched, true)) return;
  touched_.push_back(&name);
}

void Acquires::freed(const std::string& text) {
  Name* name = context_.table.find_name(text);
  if (name == nullptr) return;
  name->elsewhere = false;
  touch(*name);
  serve();
}

// One after the other, not inside one another: a grant may bring about another's end. Very many may be
// granted at once, such as readers.
void Acquires::serve() {
  if (touched_.empty() || std::exchange(serving_, true)) return;
  handing_over_.add([this] { return serving_ = serve_next(); });
}

// One grant, or one name that nobody can be granted. False when there is nothing left to look at.
bool Acquires::serve_next() {
  Name& name = *touched_.front();
  Waiter* first = draining_ || name.queue.empty() ? nullptr : name.queue.front();
  if (first != nullptr && context_.table.first_in_line(first->request.spec, first) &&
      context_.table.admits(first->request.spec)) {
    touched_.pop_front();  // the other names have their turn before its next
    touched_.push_back(&name);
    grant(*first);
  } else {
    touched_.pop_front();
    name.touched = false;
    context_.table.tidy(name);
  }
  return !touched_.empty();
}

// Its client may have reached its share of places while it waited.
void Acquires::grant(Waiter& first) {
  const Request& request = first.request;
  if (!leases_.seats().admits(request.client, places_of(request), Seats::Room::kKeptBack))
    return fail(first, leases_.seats().excess(request.client));
  leave_line(first);
  ask(first);
}

void Acquires::lose_session(Waiter& waiter) {
  context_.table.unbind(waiter);
  if (waiter.state == Waiter::State::kGranted && !waiter.done) return;  // its hold will end
  const Error error{core::kSessionLost, waiter.request.session + " has ended"};
  if (waiter.state == Waiter::State::kQueued) {
    fail(waiter, error);
    return serve();
  }
  if (waiter.state == Waiter::State::kAsking) waiter.unwanted = waiter.sessionless = true;
  if (Callback told = std::move(waiter.done)) told(error);
}

void Acquires::drain() {
  draining_ = true;
  std::vector<Id> all;
  for (const auto& [id, waiter] : acquires_) {
    if (waiter->state == Waiter::State::kQueued) all.push_back(id);
  }
  if (all.empty()) return;
  context_.chores.add([this, all = std::move(all)]() mutable {
    Waiter* waiter = find(all.back());
    all.pop_back();
    if (waiter != nullptr && waiter->state == Waiter::State::kQueued) fail(*waiter, shutting_down());
    serve();
    return !all.empty();
  });
}

Waiter* Acquires::find(Id id) {
  const auto found = acquires_.find(id);
  return found == acquires_.end() ? nullptr : found->second.get();
}

Waiter* Acquires::find(const std::string& ticket) {
  const auto found = tickets_.find(ticket);
  Waiter* waiter = found == tickets_.end() ? nullptr : find(found->second);
  const bool given_up = waiter != nullptr && waiter->state == Waiter::State::kAsking && waiter->unwanted;
  return given_up ? nullptr : waiter;
}

Granted Acquires::view(const Hold& hold) const {
  const LockSpec& spec = hold.spec;
  Granted granted;
  granted.names = spec.names;
  granted.owner = spec.owner;
  granted.token = hold.token;
  granted.lease = leases_.remaining(hold);
  granted.validity = validity_of(granted.lease);
  granted.count = spec.count;
  granted.mode = spec.mode;
  if (spec.mode == Mode::kPermits && !hold.places.empty())
    granted.available = spec.limit - hold.places.front().first->permits;
  return granted;
}

Granted Acquires::view(const Waiter& waiter, const Hold& hold) const {
  Granted granted = view(hold);
  granted.waited = std::max(milliseconds(0), std::chrono::floor<milliseconds>(hold.since - waiter.since));
  granted.ticket = waiter.ticket;
  return granted;
}

Busy Acquires::busy(const LockSpec& spec, Busy::Reason reason) const {
  Busy busy;
  busy.reason = reason;
  for (const std::string& text : spec.names) {
    const Name* name = context_.table.find_name(text);
    if (name == nullptr || (name->holds.empty() && name->queue.empty())) continue;
    busy.queue_length = name->queue.size();
    if (name->holds.empty()) break;
    const Hold& hold = *name->holds.front();
    busy.holder = hold.spec.owner;
    busy.remaining = hold.token == 0 ? hold.spec.lease : leases_.remaining(hold);
    break;
  }
  return busy;
}

}  // namespace zerosuite::lock
