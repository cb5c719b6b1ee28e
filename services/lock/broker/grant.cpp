#include <algorithm>

#include "lock/broker/attempts.hpp"

namespace zerosuite::lock {

using core::Error;
using core::Result;

namespace {

bool overlap(const Claim& one, const Claim& other) {
  return std::find_first_of(one.names.begin(), one.names.end(), other.names.begin(), other.names.end()) !=
         one.names.end();
}

}  // namespace

// Whoever is told of it may end it: a client that is found gone takes its calls and its session with it.
void Attempts::granted(Attempt& attempt, Hold& hold) {
  const Id id = attempt.id;
  const Token token = hold.token;
  ++shared_.counters.grants;
  shared_.counters.waited.add(hold.since - attempt.since);
  attempt.state = Attempt::State::kGranted;
  attempt.hold = &hold;
  hold.ticket = id;
  hold.seat = std::move(attempt.lock_seat);
  if (attempt.unwanted) return give_back(attempt);
  remember(attempt, view(attempt, hold));
  holds_.announce(hold);
  if (Attempt* still = find(id)) deliver(*still);
  enter_others(token);
}

// The client may be found gone while it is told: then withdraw() is called from inside, and the next in line
// gets the lock at once instead of after a lease.
void Attempts::deliver(Attempt& attempt) {
  if (!attempt.done) return;  // a ticket that nobody has asked for since
  const Id id = attempt.id;
  Granted answer = view(attempt, *attempt.hold);
  if (attempt.is_ticket()) claimed_.put(attempt.ticket, answer, shared_.timers.now());
  attempt.telling = true;
  std::exchange(attempt.done, {})(Answer(std::move(answer)));
  Attempt* still = find(id);
  if (still == nullptr) return;
  still->telling = false;
  if (std::exchange(still->unwanted, false)) return;  // a ticket: the next wait() will hear of it
  still->hold->ticket = 0;
  drop(*still);
}

// Others of its owner may have entered it meanwhile.
void Attempts::give_back(Attempt& attempt) {
  const Id id = attempt.id;
  const Claim claim = attempt.request.claim;
  holds_.undo(attempt.hold->token, claim.request_id);
  requests_.failed(claim, 0);  // what was never heard of may be asked for again
  if (Attempt* still = find(id)) {
    still->hold->ticket = 0;
    drop(*still);
  }
}

void Attempts::enter(Attempt& attempt, Hold& hold) {
  attempt.state = Attempt::State::kAsking;
  attempt.timer.cancel();
  holds_.enter(hold, attempt.request,
               [this, id = attempt.id](const Result<Hold*>& entered_hold) { entered(id, entered_hold); });
}

void Attempts::entered(Id id, const Result<Hold*>& result) {
  Attempt& attempt = *find(id);
  if (!result) return fail(attempt, result.error());
  const Hold& hold = **result;
  const Token token = hold.token;
  Granted answer = view(attempt, hold);
  remember(attempt, answer);
  if (attempt.is_ticket()) claimed_.put(attempt.ticket, answer, shared_.timers.now());
  if (Told told = std::move(attempt.done)) told(Answer(std::move(answer)));
  const bool unwanted = attempt.unwanted;  // perhaps since it was told
  const Claim claim = attempt.request.claim;
  drop(attempt);
  if (!unwanted) return;
  holds_.undo(token, claim.request_id);
  requests_.failed(claim, 0);
}

// What its owner asked for twice at a time would wait for itself.
void Attempts::enter_others(Token token) {
  const Hold* hold = holds_.find(token);
  if (hold == nullptr || hold->claim.mode == Mode::kPermits) return;
  std::vector<Id> others;
  const auto note = [&](const Attempt* other) {
    if (other->owner == hold->owner && other->state == Attempt::State::kQueued &&
        overlap(other->request.claim, hold->claim))
      others.push_back(other->id);
  };
  // Either list may be long.
  const Name& name = *hold->places.front().first;
  const bool one = hold->places.size() == 1;
  const auto& fewer =
      one && name.queue.size() < hold->owner->attempts.size() ? name.queue : hold->owner->attempts;
  std::for_each(fewer.begin(), fewer.end(), note);
  for (const Id id : others) {
    Attempt* other = find(id);
    Hold* still = holds_.find(token);
    if (other == nullptr || still == nullptr || other->state != Attempt::State::kQueued) continue;
    if (other->request.claim.names == still->claim.names) {
      leave_line(*other);
      enter(*other, *still);
    } else {
      fail(*other, {core::kNotReentrant, "its owner was granted one of the names in another set"});
    }
  }
}

Attempts::Id Attempts::wait(const std::string& ticket, milliseconds wait, Told told) {
  check_wait(wait, shared_.limits);
  Attempt* attempt = find(ticket);
  if (attempt == nullptr) {
    const Granted* before = claimed_.find(ticket);
    if (before == nullptr)
      throw core::Failure(core::kNotHeld,
                          "no ticket " + quoted(ticket) + ": given up, lapsed, or of an earlier process");
    again(*before, told);
    return 0;
  }
  const Id id = attempt->id;
  join(*attempt, std::move(told));
  if (attempt->state == Attempt::State::kGranted) {
    claim(*attempt);
  } else if (attempt->state == Attempt::State::kQueued) {
    attempt->request.wait = wait;
    wait == milliseconds(0) ? report_place(*attempt) : attempt->timer.after(wait);
  }
  return id;
}

// The lease begins when its owner hears of it.
void Attempts::claim(Attempt& attempt) {
  const Hold& hold = *attempt.hold;
  const Key key{hold.claim.names.front(), hold.claim.owner, hold.token};
  const milliseconds lease = std::min(attempt.request.claim.lease, holds_.room(hold));
  holds_.extend(key, lease, [this, id = attempt.id](const Result<Extended>& extended) {
    Attempt* still = find(id);
    if (still == nullptr) return;  // the hold ended, and gone() has said so
    if (extended) return deliver(*still);
    if (Told told = std::move(still->done)) told(extended.error());  // and the next wait() tries again
  });
}

bool Attempts::cancel(const std::string& ticket) {
  Attempt* attempt = find(ticket);
  if (attempt == nullptr) return false;
  Told told = std::move(attempt->done);
  switch (attempt->state) {
    case Attempt::State::kQueued:
      drop(*attempt);
      serve();
      break;
    case Attempt::State::kAsking:
      attempt->unwanted = true;
      break;
    case Attempt::State::kGranted:
      give_back(*attempt);
      break;
  }
  if (told) told(Error{core::kCancelled, "the ticket was given up"});
  return true;
}

void Attempts::withdraw(Id id) {
  Attempt* attempt = find(id);
  if (attempt == nullptr) return;
  if (attempt->askers > 1) {  // others wait for the same answer
    --attempt->askers;
    return;
  }
  ++shared_.counters.withdrawn;
  if (attempt->is_ticket()) return leave_ticket(*attempt);
  switch (attempt->state) {
    case Attempt::State::kQueued:
      drop(*attempt);
      return serve();
    case Attempt::State::kAsking:
      attempt->unwanted = true;
      attempt->done = {};
      return;
    case Attempt::State::kGranted:
      return give_back(*attempt);
  }
}

void Attempts::undelivered(Token token, const std::string& owner, const std::string& request_id) {
  const Claim claim{.owner = owner, .request_id = request_id};
  if (!request_id.empty() && !requests_.heard_once(claim)) return;
  ++shared_.counters.withdrawn;
  holds_.undo(token, request_id);
  requests_.failed(claim, 0);
}

void Attempts::leave_ticket(Attempt& attempt) {
  if (attempt.telling) attempt.unwanted = true;
  attempt.done = {};
  if (attempt.state == Attempt::State::kQueued) attempt.timer.after(shared_.limits.ticket_ttl);
}

void Attempts::gone(const Hold& hold) {
  remember(hold);  // from now on for a while
  if (Attempt* attempt = find(hold.ticket)) {
    Told told = std::move(attempt->done);
    drop(*attempt);
    if (told) told(Error{core::kLeaseExpired, "it was granted, but its lease passed before anybody asked"});
  }
  if (Owner* owner = shared_.table.find_owner(hold.claim.owner)) shared_.table.tidy(*owner);
}

// What is told to several has been heard of if one of the answers reaches nobody.
void Attempts::remember(const Attempt& attempt, const Granted& granted) {
  requests_.granted(attempt.request.claim, granted, shared_.timers.now());
  if (attempt.others) requests_.repeated(attempt.request.claim);
}

void Attempts::remember(const Hold& hold) {
  for (const Record& record : hold.claim.records) {
    if (record.kind != Record::Kind::kAcquire) continue;
    Granted granted = view(hold);
    granted.count = record.count;
    Claim claim = hold.claim;
    claim.request_id = record.request_id;
    requests_.granted(claim, granted, shared_.timers.now());
  }
}

bool Attempts::forget() {
  const bool requests = requests_.forget(shared_.timers.now());
  return claimed_.forget(shared_.timers.now()) && requests;
}

}  // namespace zerosuite::lock
