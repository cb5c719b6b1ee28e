// The part of Attempts that keeps the queues: who is next, who has waited long enough, who leaves.
#include <charconv>
#include <iterator>
#include <vector>

#include "lock/attempts.hpp"

namespace zerosuite::lock {

using core::Error;

void Attempts::wake(Attempt& attempt) {
  if (attempt.ticket) {
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
  answer.ticket = std::to_string(attempt.id);
  const auto& [name, place] = attempt.places.front();
  answer.position = static_cast<std::size_t>(std::distance(name->queue.begin(), place)) + 1;
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
  attempts_.erase(attempt.id);
  if (Owner* known = shared_.table.find_owner(owner)) shared_.table.tidy(*known);
}

void Attempts::leave_line(Attempt& attempt) {
  if (attempt.places.empty()) return;
  for (const auto& [name, place] : attempt.places) touch(*name);
  shared_.table.dequeue(attempt);
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

// One name after the other, not inside one another: a grant may bring about another's end.
void Attempts::serve() {
  if (std::exchange(serving_, true)) return;
  while (!touched_.empty()) {
    Name& name = *touched_.front();
    touched_.pop_front();
    name.touched = false;
    serve(name);
  }
  serving_ = false;
}

void Attempts::serve(Name& name) {
  while (!name.queue.empty()) {
    Attempt& first = *name.queue.front();
    const Claim& claim = first.request.claim;
    if (!shared_.table.first_in_line(claim, &first) || !shared_.table.admits(claim)) break;
    leave_line(first);
    ask(first);
  }
  shared_.table.tidy(name);
}

void Attempts::lose_session(Owner& owner, const std::string& session) {
  std::vector<Id> bound;
  for (const Attempt* attempt : owner.attempts) {
    if (attempt->request.session == session && (attempt->state != Attempt::State::kGranted || attempt->done))
      bound.push_back(attempt->id);
  }
  const Error error{core::kSessionLost, session + " has ended"};
  for (const Id id : bound) {
    Attempt* attempt = find(id);
    if (attempt == nullptr) continue;
    if (attempt->state == Attempt::State::kQueued) {
      fail(*attempt, error);
      continue;
    }
    if (attempt->state == Attempt::State::kAsking) attempt->unwanted = attempt->sessionless = true;
    if (Told told = std::move(attempt->done)) told(error);
  }
  serve();
}

void Attempts::drain() {
  draining_ = true;
  std::vector<Id> all;
  for (const auto& [id, attempt] : attempts_) {
    if (attempt->state == Attempt::State::kQueued) all.push_back(id);
  }
  for (const Id id : all) {
    Attempt* attempt = find(id);
    if (attempt != nullptr && attempt->state == Attempt::State::kQueued) fail(*attempt, shutting_down());
  }
  serve();
}

Attempt* Attempts::find(Id id) {
  const auto found = attempts_.find(id);
  return found == attempts_.end() ? nullptr : found->second.get();
}

Attempt* Attempts::find(const std::string& ticket) {
  Attempt* attempt = find(id_of(ticket));
  const bool given_up = attempt != nullptr && attempt->state == Attempt::State::kAsking && attempt->unwanted;
  return attempt != nullptr && attempt->ticket && !given_up ? attempt : nullptr;
}

Attempts::Id Attempts::id_of(const std::string& ticket) {
  Id id = 0;
  const auto [end, error] = std::from_chars(ticket.data(), ticket.data() + ticket.size(), id);
  return error == std::errc() && end == ticket.data() + ticket.size() ? id : 0;
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
  if (attempt.ticket) granted.ticket = std::to_string(attempt.id);
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
