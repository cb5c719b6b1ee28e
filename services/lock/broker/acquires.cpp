#include "lock/broker/acquires.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace zerosuite::lock {

using core::Error, core::Failure, core::Result;

Acquires::Acquires(const BrokerContext& context, Leases& leases)
    : context_(context),
      leases_(leases),
      on_timer_([this](Waiter& waiter) { on_timer(waiter); }),
      queues_(context, leases,
              {.next = [this](Waiter& waiter) { take_turn(waiter); },
               .searched = [this](Waiter& waiter, const Cycle& cycle) { searched(waiter, cycle); }}),
      dedup_(context.limits),
      claimed_(context.limits.memory, capacity(context.limits)),
      ticket_seats_("places for tickets", context.limits.max_tickets) {}

Acquires::Id Acquires::acquire(Request request, Callback told) {
  return start(std::move(request), Kind::kCall, std::move(told));
}

Acquires::Id Acquires::enqueue(Request request, Callback told) {
  return start(std::move(request), Kind::kTicket, std::move(told));
}

Acquires::Id Acquires::start(Request request, Kind kind, Callback told) {
  check(request, context_.limits);
  if (request.spec.owner.empty()) request.spec.owner = "anonymous-" + random_name();
  if (const auto id = replay(request, told)) return *id;
  if (draining_) throw Failure(shutting_down());

  const LockSpec& spec = request.spec;
  const Owner* owner = context_.table.find_owner(spec.owner);
  if (kind == Kind::kTicket) refuse_tickets(request, owner);
  Hold* own = owner == nullptr ? nullptr : context_.table.entered(*owner, spec);
  if (own == nullptr) refuse_names(request, owner);
  const bool free =
      own != nullptr || (context_.table.first_in_line(spec, nullptr) && context_.table.admits(spec));
  if (!free && kind == Kind::kCall && request.wait == milliseconds(0)) {
    ++context_.counters.busy;
    told(Answer(queues_.busy(spec, Busy::Reason::kHeld)));
    return 0;
  }
  if (!free) queues_.check_room(request);
  if (free && own == nullptr) leases_.seats().check(request.client, places_of(request));
  Waiter& waiter = make(std::move(request), kind, std::move(told));
  const Id id = waiter.id;
  own != nullptr ? enter(waiter, *own) : free ? ask(waiter) : queue(waiter);
  return id;
}

// Handles a repeated request; nullopt if it is new. Its outcome is remembered for a while, and by the waiter
// or the hold itself while there is one.
std::optional<Acquires::Id> Acquires::replay(const Request& request, Callback& told) {
  const RequestDedup::Entry* past = dedup_.find(request);
  const Owner* owner = context_.table.find_owner(request.spec.owner);
  Waiter* waiter = past != nullptr    ? find(past->waiter)
                   : owner != nullptr ? context_.table.begun(*owner, request.spec)
                                      : nullptr;
  if (waiter != nullptr) return resume(*waiter, request, std::move(told));
  const Hold* hold = owner == nullptr ? nullptr : context_.table.granted(*owner, request.spec);
  if (past == nullptr && hold == nullptr) return {};
  dedup_.repeated(request.spec, 1);
  Granted before = past != nullptr ? past->granted : leases_.view(*hold);
  if (past == nullptr)
    before.count = hold->spec.record(Record::Kind::kAcquire, request.spec.request_id)->count;
  before.replay = true;
  again(std::move(before), told);
  return 0;
}

// A repeated request joins the waiter of the earlier one, whose reply may be lost.
Acquires::Id Acquires::resume(Waiter& waiter, const Request& request, Callback told) {
  if (waiter.sessionless) throw Failure(core::kSessionLost, waiter.request.session + " has ended");
  if (waiter.request.session != request.session)
    throw Failure(core::kRequestConflict, "the same request was bound to another session before");
  const Id id = waiter.id;
  waiter.unwanted = false;
  waiter.join(std::move(told));
  if (waiter.state != Waiter::State::kQueued) return id;
  if (waiter.is_ticket()) {
    report_place(waiter);
  } else if (const auto waits = context_.timers.now() + request.wait - waiter.since;
             waits > waiter.request.wait) {
    waiter.request.wait = std::chrono::ceil<milliseconds>(waits);
    waiter.timer.after(request.wait);
  }
  return id;
}

// Replies with the earlier grant and the remaining lease, or with the error that says how the hold ended.
void Acquires::again(Granted before, Callback& told) {
  const Result<Hold*> hold = leases_.find({before.names.front(), before.owner, before.token});
  if (!hold) return told(hold.error());
  if (before.replay) ++context_.counters.replays;
  before.lease = leases_.remaining(**hold);
  before.validity = validity_of(before.lease);
  told(Answer(std::move(before)));
}

void Acquires::refuse_names(const Request& request, const Owner* owner) const {
  const LockSpec& spec = request.spec;
  context_.table.check_kind(spec, owner);
  if (const auto left = context_.engine.recovering(); left > milliseconds(0)) throw Failure(recovering(left));
  const std::size_t added = context_.table.unknown(spec.names);
  const std::size_t most = context_.limits.max_locks;
  if (added > 0 && context_.table.names().size() + added > most)
    throw Failure(core::kTooManyLocks, "as many locks are in use as may be: " + std::to_string(most));
}

void Acquires::refuse_tickets(const Request& request, const Owner* owner) const {
  ticket_seats_.check(request.client, places_of(request));
  const std::size_t most = context_.limits.max_owner_tickets;
  if (owner != nullptr && owner->tickets >= most)
    throw Failure(core::kOverloaded, "one owner has as many tickets as it may: " + std::to_string(most));
}

Waiter& Acquires::make(Request request, Kind kind, Callback told) {
  auto made = std::make_unique<Waiter>(context_.timers, on_timer_);
  Waiter& waiter = *made;
  waiter.id = ++last_;
  waiter.request = std::move(request);
  waiter.owner = &context_.table.owner(waiter.request.spec.owner);
  waiter.since = context_.timers.now();
  if (kind == Kind::kTicket) {
    waiter.ticket = random_name();
    waiter.ticket_seat = ticket_seats_.take(waiter.request.client, places_of(waiter.request));
    tickets_.emplace(waiter.ticket, waiter.id);
  }
  waiter.done = std::move(told);
  context_.table.add(waiter);
  dedup_.begun(waiter.request, waiter.id, waiter.since);
  acquires_.emplace(waiter.id, std::move(made));
  return waiter;
}

void Acquires::queue(Waiter& waiter) {
  const bool to_search = queues_.join(waiter);
  if (!waiter.is_ticket()) {
    waiter.timer.after(waiter.request.wait);
  } else if (!to_search) {
    report_place(waiter);
  }
}

void Acquires::searched(Waiter& waiter, const Cycle& cycle) {
  if (cycle.length > 0) {
    ++context_.counters.deadlocks;
    fail(waiter, deadlock(cycle));
    queues_.serve();
  } else if (waiter.is_ticket()) {
    report_place(waiter);
  }
}

// Checks the seats again: the client may have reached its share of places while it waited.
void Acquires::take_turn(Waiter& waiter) {
  const std::string& client = waiter.request.client;
  if (!leases_.seats().admits(client, places_of(waiter.request), Seats::Room::kKeptBack))
    return fail(waiter, leases_.seats().excess(client));
  queues_.leave(waiter);
  ask(waiter);
}

void Acquires::ask(Waiter& waiter) {
  waiter.state = Waiter::State::kAsking;
  waiter.timer.cancel();
  waiter.lock_seat = leases_.seats().take(waiter.request.client, places_of(waiter.request));
  waiter.asking = leases_.reserve(waiter.request, *waiter.owner);
  if (context_.timers.now() > waiter.since) waiter.asking->spec.confirm = waiter.request.confirm;
  core::Done<std::optional<Grant>> then = [this, id = waiter.id](const Result<std::optional<Grant>>& answer) {
    asked(id, answer);
  };
  if (const auto answer = context_.engine.acquire(waiter.asking->spec, then)) asked(waiter.id, *answer);
}

void Acquires::asked(Id id, const Result<std::optional<Grant>>& answer) {
  Waiter& waiter = *find(id);
  if (answer && *answer) {
    granted(waiter, leases_.begin(std::move(waiter.asking), **answer));
    return queues_.serve();
  }
  for (const auto& [name, place] : waiter.asking->places) queues_.touch(*name);
  leases_.give_up(std::move(waiter.asking));
  waiter.lock_seat = {};
  answer ? on_conflict(waiter) : fail(waiter, answer.error());
  queues_.serve();
}

// A holder unknown to the broker was faster: the engine has other users.
void Acquires::on_conflict(Waiter& waiter) {
  const auto left = waiter.since + waiter.request.wait - context_.timers.now();
  if (draining_) return fail(waiter, shutting_down());
  if (waiter.unwanted || (!waiter.is_ticket() && left <= core::Clock::duration::zero())) {
    Callback told = std::move(waiter.done);
    const Busy answer = queues_.busy(waiter.request.spec, Busy::Reason::kHeld);
    drop(waiter);
    if (told) told(Answer(answer));
    return;
  }
  waiter.state = Waiter::State::kQueued;
  queues_.rejoin(waiter);
  waiter.is_ticket() ? report_place(waiter) : waiter.timer.after(left);
}

void Acquires::granted(Waiter& waiter, Hold& hold) {
  ++context_.counters.grants;
  context_.counters.waited.add(hold.since - waiter.since);
  waiter.state = Waiter::State::kGranted;
  waiter.hold = &hold;
  hold.ticket = waiter.id;
  hold.seat = std::move(waiter.lock_seat);
  if (waiter.unwanted) return give_back(waiter);
  remember(waiter, view(waiter, hold));
  leases_.publish_granted(hold);
  deliver(waiter);
  enter_others(hold.token);
}

void Acquires::deliver(Waiter& waiter) {
  Callback told = std::move(waiter.done);
  if (!told) return;  // a ticket without a wait()
  Granted answer = view(waiter, *waiter.hold);
  note_claimed(answer);
  waiter.hold->ticket = 0;
  drop(waiter);
  told(Answer(std::move(answer)));
}

void Acquires::note_claimed(const Granted& granted) {
  if (granted.ticket.empty()) return;
  Granted told = granted;
  told.replay = true;  // for later wait() calls
  claimed_.put(granted.ticket, std::move(told), context_.timers.now());
}

void Acquires::unheard(const std::string& ticket) {
  if (Granted* told = claimed_.find(ticket)) told->replay = false;
}

// Undoes one entry only: other requests of the owner may have entered the hold meanwhile.
void Acquires::give_back(Waiter& waiter) {
  const Token token = waiter.hold->token;
  const LockSpec spec = waiter.request.spec;
  waiter.hold->ticket = 0;
  drop(waiter);
  take_back(token, spec);
}

// Undoes an undelivered grant; the request can then be tried again.
void Acquires::take_back(Token token, const LockSpec& spec) {
  leases_.undo(token, spec.request_id);
  dedup_.failed(spec, 0);
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
  const Token token = (*result)->token;
  Granted answer = view(waiter, **result);
  remember(waiter, answer);
  note_claimed(answer);
  Callback told = std::move(waiter.done);
  const bool unwanted = waiter.unwanted;
  const LockSpec spec = waiter.request.spec;
  drop(waiter);
  if (told) told(Answer(std::move(answer)));
  if (unwanted) take_back(token, spec);
}

// Lets concurrent requests of the owner enter the new hold: they would wait for their own owner.
void Acquires::enter_others(Token token) {
  const Hold* hold = leases_.find(token);
  if (hold == nullptr || hold->spec.mode == Mode::kPermits) return;
  const std::vector<Id> others = WaitQueues::own_waiters(*hold);
  for (const Id id : others) {
    Waiter* other = find(id);
    Hold* still = leases_.find(token);
    if (other == nullptr || still == nullptr || other->state != Waiter::State::kQueued) continue;
    if (other->request.spec.names == still->spec.names) {
      queues_.leave(*other);
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
    Granted* before = claimed_.find(ticket);
    if (before == nullptr)
      throw core::Failure(core::kNotHeld,
                          "no ticket " + quoted(ticket) + ": given up, lapsed, or of an earlier process");
    Granted answer = *before;
    before->replay = true;
    again(std::move(answer), told);
    return 0;
  }
  const Id id = waiter->id;
  waiter->join(std::move(told));
  if (waiter->state == Waiter::State::kGranted) {
    claim(*waiter);
  } else if (waiter->state == Waiter::State::kQueued) {
    waiter->request.wait = wait;
    wait == milliseconds(0) ? report_place(*waiter) : waiter->timer.after(wait);
  }
  return id;
}

// Restarts the lease of a ticket's grant when it is delivered.
void Acquires::claim(Waiter& waiter) {
  const Hold& hold = *waiter.hold;
  const HoldKey key{hold.spec.names.front(), hold.spec.owner, hold.token};
  const milliseconds lease = std::min(waiter.request.spec.lease, leases_.max_extension(hold));
  leases_.extend(key, lease, [this, id = waiter.id](const Result<Extended>& extended) {
    Waiter* still = find(id);
    if (still == nullptr) return;  // the hold has ended, and gone() has replied
    if (extended) return deliver(*still);
    if (Callback told = std::move(still->done)) told(extended.error());  // the next wait() tries again
  });
}

bool Acquires::cancel(const std::string& ticket) {
  Waiter* waiter = find(ticket);
  if (waiter == nullptr) return false;
  Callback told = std::move(waiter->done);
  if (waiter->state == Waiter::State::kGranted) {
    give_back(*waiter);
  } else if (waiter->state == Waiter::State::kAsking) {
    waiter->unwanted = true;
  } else {
    drop(*waiter);
    queues_.serve();
  }
  if (told) told(Error{core::kCancelled, "the ticket was given up"});
  return true;
}

void Acquires::withdraw(Id id) {
  Waiter* waiter = find(id);
  if (waiter == nullptr) return;
  if (waiter->askers > 1) {  // other callers wait for the same request
    --waiter->askers;
    return;
  }
  ++context_.counters.withdrawn;
  const bool queued = waiter->state == Waiter::State::kQueued;
  if (queued && !waiter->is_ticket()) {
    drop(*waiter);
    return queues_.serve();
  }
  waiter->done = {};
  if (queued) waiter->timer.after(context_.limits.ticket_ttl);
  if (!waiter->is_ticket()) waiter->unwanted = true;
}

void Acquires::undelivered(Token token, const std::string& owner, const std::string& request_id) {
  const LockSpec spec{.owner = owner, .request_id = request_id};
  if (!request_id.empty() && !dedup_.reached_nobody(spec)) return;
  ++context_.counters.withdrawn;
  take_back(token, spec);
}

// A chore, since very many waits may end at the same moment; some are granted before their chore runs.
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
    return queues_.serve();
  }
  ++context_.counters.timeouts;
  Callback told = std::move(waiter.done);
  const Busy answer = queues_.busy(waiter.request.spec, Busy::Reason::kTimeout);
  drop(waiter);
  told(Answer(answer));
  queues_.serve();
}

void Acquires::report_place(Waiter& waiter) {
  Busy answer = queues_.busy(waiter.request.spec, Busy::Reason::kQueued);
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
  queues_.leave(waiter);
  dedup_.failed(waiter.request.spec, waiter.id);
  context_.table.remove(waiter);
  if (waiter.is_ticket()) tickets_.erase(waiter.ticket);
  acquires_.erase(waiter.id);
  if (Owner* known = context_.table.find_owner(owner)) context_.table.tidy(*known);
}

void Acquires::lose_session(Waiter& waiter) {
  context_.table.unbind(waiter);
  if (waiter.state == Waiter::State::kGranted && !waiter.done) return;  // its hold ends with the session
  const Error error{core::kSessionLost, waiter.request.session + " has ended"};
  if (waiter.state == Waiter::State::kQueued) {
    fail(waiter, error);
    return queues_.serve();
  }
  if (waiter.state == Waiter::State::kAsking) waiter.unwanted = waiter.sessionless = true;
  if (Callback told = std::move(waiter.done)) told(error);
}

void Acquires::drain() {
  draining_ = true;
  queues_.stop();
  std::vector<Id> all;
  for (const auto& [id, waiter] : acquires_) {
    if (waiter->state == Waiter::State::kQueued) all.push_back(id);
  }
  if (all.empty()) return;
  context_.chores.add([this, all = std::move(all)]() mutable {
    Waiter* waiter = find(all.back());
    all.pop_back();
    if (waiter != nullptr && waiter->state == Waiter::State::kQueued) fail(*waiter, shutting_down());
    queues_.serve();
    return !all.empty();
  });
}

void Acquires::gone(const Hold& hold) {
  remember(hold);  // for Limits::memory from now on
  if (Waiter* waiter = find(hold.ticket)) {
    Callback told = std::move(waiter->done);
    drop(*waiter);
    if (told) told(Error{core::kLeaseExpired, "it was granted, but its lease passed before anybody asked"});
  }
  if (Owner* owner = context_.table.find_owner(hold.spec.owner)) context_.table.tidy(*owner);
}

void Acquires::remember(const Waiter& waiter, const Granted& granted) {
  dedup_.granted(waiter.request.spec, granted, context_.timers.now());
  dedup_.repeated(waiter.request.spec, waiter.askers - 1);
}

void Acquires::remember(const Hold& hold) {
  dedup_.granted_by_records(hold.spec, leases_.view(hold), context_.timers.now());
}

bool Acquires::forget() {
  const bool requests = dedup_.forget(context_.timers.now());
  return claimed_.forget(context_.timers.now()) && requests;
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

Granted Acquires::view(const Waiter& waiter, const Hold& hold) const {
  Granted granted = leases_.view(hold);
  granted.waited = std::max(milliseconds(0), std::chrono::floor<milliseconds>(hold.since - waiter.since));
  granted.ticket = waiter.ticket;
  return granted;
}

}  // namespace zerosuite::lock
