#include <algorithm>

#include "lock/broker/acquires.hpp"

namespace zerosuite::lock {

using core::Error;
using core::Result;

namespace {

bool overlap(const LockSpec& one, const LockSpec& other) {
  return std::find_first_of(one.names.begin(), one.names.end(), other.names.begin(), other.names.end()) !=
         one.names.end();
}

}  // namespace

// Whoever is told of it may end it: a client that is found gone takes its calls and its session with it.
void Acquires::granted(Waiter& waiter, Hold& hold) {
  const Id id = waiter.id;
  const Token token = hold.token;
  ++context_.counters.grants;
  context_.counters.waited.add(hold.since - waiter.since);
  waiter.state = Waiter::State::kGranted;
  waiter.hold = &hold;
  hold.ticket = id;
  hold.seat = std::move(waiter.lock_seat);
  if (waiter.unwanted) return give_back(waiter);
  remember(waiter, view(waiter, hold));
  leases_.publish_granted(hold);
  if (Waiter* still = find(id)) deliver(*still);
  enter_others(token);
}

// The client may be found gone while it is told: then withdraw() is called from inside, and the next in line
// gets the lock at once instead of after a lease.
void Acquires::deliver(Waiter& waiter) {
  if (!waiter.done) return;  // a ticket that nobody has asked for since
  const Id id = waiter.id;
  Granted answer = view(waiter, *waiter.hold);
  if (waiter.is_ticket()) claimed_.put(waiter.ticket, answer, context_.timers.now());
  waiter.telling = true;
  std::exchange(waiter.done, {})(Answer(std::move(answer)));
  Waiter* still = find(id);
  if (still == nullptr) return;
  still->telling = false;
  if (std::exchange(still->unwanted, false)) return;  // a ticket: the next wait() will hear of it
  still->hold->ticket = 0;
  drop(*still);
}

// Others of its owner may have entered it meanwhile.
void Acquires::give_back(Waiter& waiter) {
  const Id id = waiter.id;
  const LockSpec spec = waiter.request.spec;
  leases_.undo(waiter.hold->token, spec.request_id);
  dedup_.failed(spec, 0);  // what was never heard of may be asked for again
  if (Waiter* still = find(id)) {
    still->hold->ticket = 0;
    drop(*still);
  }
}

void Acquires::enter(Waiter& waiter, Hold& hold) {
  waiter.state = Waiter::State::kAsking;
  waiter.timer.cancel();
  leases_.enter(hold, waiter.request,
                [this, id = waiter.id](const Result<Hold*>& entered_hold) { entered(id, entered_hold); });
}

void Acquires::entered(Id id, const Result<Hold*>& result) {
  Waiter& waiter = *find(id);
  if (!result) return fail(waiter, result.error());
  const Hold& hold = **result;
  const Token token = hold.token;
  Granted answer = view(waiter, hold);
  remember(waiter, answer);
  if (waiter.is_ticket()) claimed_.put(waiter.ticket, answer, context_.timers.now());
  if (Callback told = std::move(waiter.done)) told(Answer(std::move(answer)));
  const bool unwanted = waiter.unwanted;  // perhaps since it was told
  const LockSpec spec = waiter.request.spec;
  drop(waiter);
  if (!unwanted) return;
  leases_.undo(token, spec.request_id);
  dedup_.failed(spec, 0);
}

// What its owner asked for twice at a time would wait for itself.
void Acquires::enter_others(Token token) {
  const Hold* hold = leases_.find(token);
  if (hold == nullptr || hold->spec.mode == Mode::kPermits) return;
  std::vector<Id> others;
  const auto note = [&](const Waiter* other) {
    if (other->owner == hold->owner && other->state == Waiter::State::kQueued &&
        overlap(other->request.spec, hold->spec))
      others.push_back(other->id);
  };
  // Either list may be long.
  const Name& name = *hold->places.front().first;
  const bool one = hold->places.size() == 1;
  const auto& fewer =
      one && name.queue.size() < hold->owner->acquires.size() ? name.queue : hold->owner->acquires;
  std::for_each(fewer.begin(), fewer.end(), note);
  for (const Id id : others) {
    Waiter* other = find(id);
    Hold* still = leases_.find(token);
    if (other == nullptr || still == nullptr || other->state != Waiter::State::kQueued) continue;
    if (other->request.spec.names == still->spec.names) {
      leave_line(*other);
      enter(*other, *still);
    } else {
      fail(*other, {core::kNotReentrant, "its owner was granted one of the names in another set"});
    }
  }
}

Acquires::Id Acquires::wait(const std::string& ticket, milliseconds wait, Callback told) {
  check_wait(wait, context_.limits);
  Waiter* waiter = find(ticket);
  if (waiter == nullptr) {
    const Granted* before = claimed_.find(ticket);
    if (before == nullptr)
      throw core::Failure(core::kNotHeld,
                          "no ticket " + quoted(ticket) + ": given up, lapsed, or of an earlier process");
    again(*before, told);
    return 0;
  }
  const Id id = waiter->id;
  join(*waiter, std::move(told));
  if (waiter->state == Waiter::State::kGranted) {
    spec(*waiter);
  } else if (waiter->state == Waiter::State::kQueued) {
    waiter->request.wait = wait;
    wait == milliseconds(0) ? report_place(*waiter) : waiter->timer.after(wait);
  }
  return id;
}

// The lease begins when its owner hears of it.
void Acquires::spec(Waiter& waiter) {
  const Hold& hold = *waiter.hold;
  const HoldKey key{hold.spec.names.front(), hold.spec.owner, hold.token};
  const milliseconds lease = std::min(waiter.request.spec.lease, leases_.max_extension(hold));
  leases_.extend(key, lease, [this, id = waiter.id](const Result<Extended>& extended) {
    Waiter* still = find(id);
    if (still == nullptr) return;  // the hold ended, and gone() has said so
    if (extended) return deliver(*still);
    if (Callback told = std::move(still->done)) told(extended.error());  // and the next wait() tries again
  });
}

bool Acquires::cancel(const std::string& ticket) {
  Waiter* waiter = find(ticket);
  if (waiter == nullptr) return false;
  Callback told = std::move(waiter->done);
  switch (waiter->state) {
    case Waiter::State::kQueued:
      drop(*waiter);
      serve();
      break;
    case Waiter::State::kAsking:
      waiter->unwanted = true;
      break;
    case Waiter::State::kGranted:
      give_back(*waiter);
      break;
  }
  if (told) told(Error{core::kCancelled, "the ticket was given up"});
  return true;
}

void Acquires::withdraw(Id id) {
  Waiter* waiter = find(id);
  if (waiter == nullptr) return;
  if (waiter->askers > 1) {  // others wait for the same answer
    --waiter->askers;
    return;
  }
  ++context_.counters.withdrawn;
  if (waiter->is_ticket()) return leave_ticket(*waiter);
  switch (waiter->state) {
    case Waiter::State::kQueued:
      drop(*waiter);
      return serve();
    case Waiter::State::kAsking:
      waiter->unwanted = true;
      waiter->done = {};
      return;
    case Waiter::State::kGranted:
      return give_back(*waiter);
  }
}

void Acquires::undelivered(Token token, const std::string& owner, const std::string& request_id) {
  const LockSpec spec{.owner = owner, .request_id = request_id};
  if (!request_id.empty() && !dedup_.heard_once(spec)) return;
  ++context_.counters.withdrawn;
  leases_.undo(token, request_id);
  dedup_.failed(spec, 0);
}

void Acquires::leave_ticket(Waiter& waiter) {
  if (waiter.telling) waiter.unwanted = true;
  waiter.done = {};
  if (waiter.state == Waiter::State::kQueued) waiter.timer.after(context_.limits.ticket_ttl);
}

void Acquires::gone(const Hold& hold) {
  remember(hold);  // from now on for a while
  if (Waiter* waiter = find(hold.ticket)) {
    Callback told = std::move(waiter->done);
    drop(*waiter);
    if (told) told(Error{core::kLeaseExpired, "it was granted, but its lease passed before anybody asked"});
  }
  if (Owner* owner = context_.table.find_owner(hold.spec.owner)) context_.table.tidy(*owner);
}

// What is told to several has been heard of if one of the answers reaches nobody.
void Acquires::remember(const Waiter& waiter, const Granted& granted) {
  dedup_.granted(waiter.request.spec, granted, context_.timers.now());
  if (waiter.others) dedup_.repeated(waiter.request.spec);
}

void Acquires::remember(const Hold& hold) {
  for (const Record& record : hold.spec.records) {
    if (record.kind != Record::Kind::kAcquire) continue;
    Granted granted = view(hold);
    granted.count = record.count;
    LockSpec spec = hold.spec;
    spec.request_id = record.request_id;
    dedup_.granted(spec, granted, context_.timers.now());
  }
}

bool Acquires::forget() {
  const bool requests = dedup_.forget(context_.timers.now());
  return claimed_.forget(context_.timers.now()) && requests;
}

}  // namespace zerosuite::lock
