// The part of Attempts that keeps the queues: who is next, who has waited long enough, who leaves.
#include <vector>

#include "lock/broker/attempts.hpp"

namespace zerosuite::lock {

using core::Error;

// Very many waits may end in the same moment; some of them are granted before it is their turn.
void Attempts::wake(Attempt& attempt) {
  shared_.chores.add([this, id = attempt.id] {
    Attempt* still = find(id);
    if (still != nullptr && still->state == Attempt::State::kQueued && !still->timer.armed())
      end_wait(*still);
    return false;
  });
}

void Attempts::end_wait(Attempt& attempt) {
  if (attempt.is_ticket()) {
    if (attempt.done) return report_place(attempt);
    drop(attempt);
    return serve();
  }
  ++shared_.counters.timeouts;
  Told told = std::move(attempt.done);
  const Busy answer = busy(attempt.request.claim, Busy::Reason::kTimeout);
  drop(attempt);
  told(Answer(answer));
  serve();
}

void Attempts::report_place(Attempt& attempt) {
  Busy answer = busy(attempt.request.claim, Busy::Reason::kQueued);
  answer.ticket = attempt.ticket;
  answer.position = shared_.table.position(attempt);
  attempt.timer.after(shared_.limits.ticket_ttl);
  if (attempt.done) std::exchange(attempt.done, {})(Answer(std::move(answer)));
}

void Attempts::fail(Attempt& attempt, const Error& error) {
  Told told = std::move(attempt.done);
  drop(attempt);
  if (told) told(error);
}

void Attempts::drop(Attempt& attempt) {
  const std::string owner = attempt.request.claim.owner;
  leave_line(attempt);
  requests_.failed(attempt.request.claim, attempt.id);
  shared_.table.remove(attempt);
  if (attempt.is_ticket()) tickets_.erase(attempt.ticket);
  attempts_.erase(attempt.id);
  if (Owner* known = shared_.table.find_owner(owner)) shared_.table.tidy(*known);
}

void Attempts::leave_line(Attempt& attempt) {
  if (attempt.places.empty()) return;
  for (const auto& [name, place] : attempt.places) touch(*name);
  shared_.table.dequeue(attempt);
  attempt.line_seat = {};
  --waiting_;
}

void Attempts::touch(Name& name) {
  if (std::exchange(name.touched, true)) return;
  touched_.push_back(&name);
}

void Attempts::freed(const std::string& text) {
  Name* name = shared_.table.find_name(text);
  if (name == nullptr) return;
  name->elsewhere = false;
  touch(*name);
  serve();
}

// One after the other, not inside one another: a grant may bring about another's end. Very many may be
// granted at once, such as readers.
void Attempts::serve() {
  if (touched_.empty() || std::exchange(serving_, true)) return;
  handing_over_.add([this] { return serving_ = serve_next(); });
}

// One grant, or one name that nobody can be granted. False when there is nothing left to look at.
bool Attempts::serve_next() {
  Name& name = *touched_.front();
  Attempt* first = draining_ || name.queue.empty() ? nullptr : name.queue.front();
  if (first != nullptr && shared_.table.first_in_line(first->request.claim, first) &&
      shared_.table.admits(first->request.claim)) {
    touched_.pop_front();  // the other names have their turn before its next
    touched_.push_back(&name);
    grant(*first);
  } else {
    touched_.pop_front();
    name.touched = false;
    shared_.table.tidy(name);
  }
  return !touched_.empty();
}

// Its client may have reached its share of places while it waited.
void Attempts::grant(Attempt& first) {
  const Request& request = first.request;
  if (!holds_.seats().admits(request.client, places_of(request), Seats::Room::kKeptBack))
    return fail(first, holds_.seats().excess(request.client));
  leave_line(first);
  ask(first);
}

void Attempts::lose_session(Attempt& attempt) {
  shared_.table.unbind(attempt);
  if (attempt.state == Attempt::State::kGranted && !attempt.done) return;  // its hold will end
  const Error error{core::kSessionLost, attempt.request.session + " has ended"};
  if (attempt.state == Attempt::State::kQueued) {
    fail(attempt, error);
    return serve();
  }
  if (attempt.state == Attempt::State::kAsking) attempt.unwanted = attempt.sessionless = true;
  if (Told told = std::move(attempt.done)) told(error);
}

void Attempts::drain() {
  draining_ = true;
  std::vector<Id> all;
  for (const auto& [id, attempt] : attempts_) {
    if (attempt->state == Attempt::State::kQueued) all.push_back(id);
  }
  if (all.empty()) return;
  shared_.chores.add([this, all = std::move(all)]() mutable {
    Attempt* attempt = find(all.back());
    all.pop_back();
    if (attempt != nullptr && attempt->state == Attempt::State::kQueued) fail(*attempt, shutting_down());
    serve();
    return !all.empty();
  });
}

Attempt* Attempts::find(Id id) {
  const auto found = attempts_.find(id);
  return found == attempts_.end() ? nullptr : found->second.get();
}

Attempt* Attempts::find(const std::string& ticket) {
  const auto found = tickets_.find(ticket);
  Attempt* attempt = found == tickets_.end() ? nullptr : find(found->second);
  const bool given_up = attempt != nullptr && attempt->state == Attempt::State::kAsking && attempt->unwanted;
  return given_up ? nullptr : attempt;
}

Granted Attempts::view(const Hold& hold) const {
  const Claim& claim = hold.claim;
  Granted granted;
  granted.names = claim.names;
  granted.owner = claim.owner;
  granted.token = hold.token;
  granted.lease = holds_.remaining(hold);
  granted.validity = validity_of(granted.lease);
  granted.count = claim.count;
  granted.mode = claim.mode;
  if (claim.mode == Mode::kPermits && !hold.places.empty())
    granted.available = claim.limit - hold.places.front().first->permits;
  return granted;
}

Granted Attempts::view(const Attempt& attempt, const Hold& hold) const {
  Granted granted = view(hold);
  granted.waited = std::max(milliseconds(0), std::chrono::floor<milliseconds>(hold.since - attempt.since));
  granted.ticket = attempt.ticket;
  return granted;
}

Busy Attempts::busy(const Claim& claim, Busy::Reason reason) const {
  Busy busy;
  busy.reason = reason;
  for (const std::string& text : claim.names) {
    const Name* name = shared_.table.find_name(text);
    if (name == nullptr || (name->holds.empty() && name->queue.empty())) continue;
    busy.queue_length = name->queue.size();
    if (name->holds.empty()) break;
    const Hold& hold = *name->holds.front();
    busy.holder = hold.claim.owner;
    busy.remaining = hold.token == 0 ? hold.claim.lease : holds_.remaining(hold);
    break;
  }
  return busy;
}

}  // namespace zerosuite::lock
