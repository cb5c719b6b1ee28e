#include "lock/broker/attempts.hpp"

#include <algorithm>

#include "core/json.hpp"
#include "lock/broker/deadlock.hpp"

namespace zerosuite::lock {
namespace {

using core::Failure;
using core::Json;
using core::Result;
using core::with_json;

}  // namespace

Attempts::Attempts(const Shared& shared, Holds& holds)
    : shared_(shared),
      holds_(holds),
      wake_([this](Attempt& attempt) { wake(attempt); }),
      requests_(shared.limits),
      claimed_(shared.limits.memory, capacity(shared.limits)),
      waiters_("places for waiters", shared.limits.max_waiting),
      ticket_seats_("places for tickets", shared.limits.max_tickets),
      handing_over_(shared.timers, shared.watch),
      searching_(shared.timers, shared.watch) {}

Attempts::Id Attempts::acquire(Request request, Told told) {
  return start(std::move(request), Kind::kCall, std::move(told));
}

Attempts::Id Attempts::enqueue(Request request, Told told) {
  return start(std::move(request), Kind::kTicket, std::move(told));
}

Attempts::Id Attempts::start(Request request, Kind kind, Told told) {
  check(request, shared_.limits);
  if (request.claim.owner.empty()) request.claim.owner = "anonymous-" + random_name();  // nobody else has it
  if (const auto id = replay(request, told)) return *id;
  if (draining_) throw Failure(shutting_down());

  const Claim& claim = request.claim;
  const Owner* owner = shared_.table.find_owner(claim.owner);
  if (kind == Kind::kTicket) refuse_tickets(request, owner);
  Hold* own = owner == nullptr ? nullptr : shared_.table.entered(*owner, claim);
  if (own != nullptr) {
    Attempt& attempt = make(std::move(request), kind, std::move(told));
    const Id id = attempt.id;
    enter(attempt, *own);
    return id;
  }
  refuse_misuse(request, owner);
  const bool free = shared_.table.first_in_line(claim, nullptr) && shared_.table.admits(claim);
  if (!free && kind == Kind::kCall && request.wait == milliseconds(0)) {
    ++shared_.counters.busy;
    told(Answer(busy(claim, Busy::Reason::kHeld)));
    return 0;
  }
  free ? holds_.seats().check(request.client, places_of(request)) : refuse_crowd(request);
  Attempt& attempt = make(std::move(request), kind, std::move(told));
  const Id id = attempt.id;
  free ? ask(attempt) : queue(attempt);
  return id;
}

// A request that was sent before: nullopt when it is new. What it has come to is remembered for a while, and
// by the attempt or the hold itself for as long as there is one.
std::optional<Attempts::Id> Attempts::replay(const Request& request, Told& told) {
  const Requests::Past* past = requests_.find(request);
  const Owner* owner = shared_.table.find_owner(request.claim.owner);
  Attempt* attempt = past != nullptr    ? find(past->attempt)
                     : owner != nullptr ? shared_.table.begun(*owner, request.claim)
                                        : nullptr;
  if (attempt != nullptr) return resume(*attempt, request, std::move(told));
  const Hold* hold = owner == nullptr ? nullptr : shared_.table.granted(*owner, request.claim);
  if (past == nullptr && hold == nullptr) return {};
  requests_.repeated(request.claim);
  Granted before = past != nullptr ? past->granted : view(*hold);
  if (past == nullptr)
    before.count = hold->claim.record(Record::Kind::kAcquire, request.claim.request_id)->count;
  again(std::move(before), told);
  return 0;
}

// The one who asks again waits in the place of the one who asked before, whose answer may be lost.
Attempts::Id Attempts::resume(Attempt& attempt, const Request& request, Told told) {
  if (attempt.sessionless) throw Failure(core::kSessionLost, attempt.request.session + " has ended");
  if (attempt.request.session != request.session)
    throw Failure(core::kRequestConflict, "the same request was bound to another session before");
  const Id id = attempt.id;
  attempt.unwanted = false;
  join(attempt, std::move(told));
  if (attempt.state != Attempt::State::kQueued) return id;
  if (attempt.is_ticket()) {
    report_place(attempt);
  } else if (shared_.timers.now() + request.wait > attempt.since + attempt.request.wait) {
    attempt.request.wait =
        std::chrono::ceil<milliseconds>(shared_.timers.now() + request.wait - attempt.since);
    attempt.timer.after(request.wait);
  }
  return id;
}

// All who ask are answered: which of them was sent last nobody can tell, and only that one's client may be
// left.
void Attempts::join(Attempt& attempt, Told told) {
  if (!attempt.done) {
    attempt.done = std::move(told);
    attempt.askers = 1;
    attempt.others.reset();
    return;
  }
  ++attempt.askers;
  if (attempt.others) return attempt.others->push_back(std::move(told));
  attempt.others = std::make_shared<std::vector<Told>>();
  attempt.others->push_back(std::move(told));
  attempt.done = [first = std::move(attempt.done),
                  others = attempt.others](const Result<Answer>& answer) mutable {
    first(answer);
    for (Told& other : *others) other(answer);
  };
}

// As it was, but with what is left of the lease; if nothing is, how it came to its end.
void Attempts::again(Granted before, Told& told) {
  const Result<Hold*> hold = holds_.find({before.names.front(), before.owner, before.token});
  if (!hold) return told(hold.error());
  ++shared_.counters.replays;
  before.lease = holds_.remaining(**hold);
  before.validity = validity_of(before.lease);
  before.replay = true;
  told(Answer(std::move(before)));
}

void Attempts::refuse_misuse(const Request& request, const Owner* owner) const {
  const Claim& claim = request.claim;
  const bool semaphore = claim.mode == Mode::kPermits;
  for (const std::string& text : claim.names) {
    const Name* name = shared_.table.find_name(text);
    const Claim* kind = name == nullptr ? nullptr : name->kind();
    if (kind == nullptr) continue;
    if ((kind->mode == Mode::kPermits) != semaphore)
      throw Failure(core::kKindMismatch, quoted(text) + " is a " + (semaphore ? "lock" : "semaphore"));
    if (semaphore && kind->limit != claim.limit)
      throw Failure(core::kLimitMismatch,
                    with_json(quoted(text) + " has a limit of " + std::to_string(kind->limit) + ", not " +
                                  std::to_string(claim.limit),
                              Json().add("limit", kind->limit)));
    if (owner != nullptr && !semaphore && shared_.table.lock(*owner, *name) != nullptr)
      throw Failure(core::kNotReentrant, quoted(text) + " is held by its owner in another set of names");
  }
  if (const auto left = shared_.engine.recovering(); left > milliseconds(0)) throw Failure(recovering(left));
  const auto added = static_cast<std::size_t>(
      std::count_if(claim.names.begin(), claim.names.end(),
                    [&](const std::string& text) { return shared_.table.find_name(text) == nullptr; }));
  if (added > 0 && shared_.table.names().size() + added > shared_.limits.max_locks) refuse_more();
}

void Attempts::refuse_more() const {
  throw Failure(core::kTooManyLocks,
                "as many locks are in use as may be: " + std::to_string(shared_.limits.max_locks));
}

void Attempts::refuse_tickets(const Request& request, const Owner* owner) const {
  ticket_seats_.check(request.client, places_of(request));
  const std::size_t most = shared_.limits.max_owner_tickets;
  if (owner != nullptr && owner->tickets >= most)
    throw Failure(core::kOverloaded, "one owner has as many tickets as it may: " + std::to_string(most));
}

void Attempts::refuse_crowd(const Request& request) const {
  waiters_.check(request.client, places_of(request));
  for (const std::string& text : request.claim.names) {
    const Name* name = shared_.table.find_name(text);
    if (name == nullptr || name->queue.size() < shared_.limits.max_waiters) continue;
    throw Failure(core::kQueueFull, with_json("too many wait for " + quoted(text),
                                              Json().add("queue_len", name->queue.size())));
  }
}

Attempt& Attempts::make(Request request, Kind kind, Told told) {
  auto made = std::make_unique<Attempt>(shared_.timers, wake_);
  Attempt& attempt = *made;
  attempt.id = ++last_;
  attempt.request = std::move(request);
  attempt.owner = &shared_.table.owner(attempt.request.claim.owner);
  attempt.since = shared_.timers.now();
  if (kind == Kind::kTicket) {
    attempt.ticket = random_name();
    attempt.ticket_seat = ticket_seats_.take(attempt.request.client, places_of(attempt.request));
    tickets_.emplace(attempt.ticket, attempt.id);
  }
  attempt.done = std::move(told);
  shared_.table.add(attempt);
  requests_.begun(attempt.request, attempt.id, attempt.since);
  attempts_.emplace(attempt.id, std::move(made));
  return attempt;
}

void Attempts::queue(Attempt& attempt) {
  shared_.table.enqueue(attempt, Table::End::kBack);
  attempt.line_seat = waiters_.take(attempt.request.client, places_of(attempt.request));
  ++waiting_;
  if (!attempt.is_ticket()) attempt.timer.after(attempt.request.wait);
  if (attempt.owner->holds.empty()) {  // most who wait: there can be no cycle
    if (attempt.is_ticket()) report_place(attempt);
    return;
  }
  searching_.add([this, id = attempt.id] {
    search(id);
    return false;
  });
}

// Each search is a piece of its own, for it may be long; meanwhile the wait may have come to its end.
void Attempts::search(Id id) {
  Attempt* attempt = find(id);
  if (attempt == nullptr || attempt->state != Attempt::State::kQueued) return;
  const Cycle cycle = find_cycle(*attempt, ++searches_);
  if (cycle.length > 0) {
    ++shared_.counters.deadlocks;
    fail(*attempt, deadlock(cycle));
    return serve();
  }
  if (attempt->is_ticket()) report_place(*attempt);
}

void Attempts::ask(Attempt& attempt) {
  attempt.state = Attempt::State::kAsking;
  attempt.timer.cancel();
  attempt.lock_seat = holds_.seats().take(attempt.request.client, places_of(attempt.request));
  attempt.asking = holds_.reserve(attempt.request, *attempt.owner);
  if (shared_.timers.now() > attempt.since) attempt.asking->claim.confirm = attempt.request.confirm;
  shared_.engine.acquire(
      attempt.asking->claim,
      [this, id = attempt.id](const Result<std::optional<Grant>>& answer) { asked(id, answer); });
}

void Attempts::asked(Id id, const Result<std::optional<Grant>>& answer) {
  Attempt& attempt = *find(id);
  if (answer && *answer) {
    granted(attempt, holds_.begin(std::move(attempt.asking), **answer));
    return serve();
  }
  for (const auto& [name, place] : attempt.asking->places) touch(*name);
  holds_.give_up(std::move(attempt.asking));
  attempt.lock_seat = {};
  answer ? beaten(attempt) : fail(attempt, answer.error());
  serve();
}

// Somebody the broker does not know was faster: the engine has other users.
void Attempts::beaten(Attempt& attempt) {
  const auto left = attempt.since + attempt.request.wait - shared_.timers.now();
  if (draining_) return fail(attempt, shutting_down());
  if (attempt.unwanted || (!attempt.is_ticket() && left <= core::Clock::duration::zero())) {
    Told told = std::move(attempt.done);
    const Busy answer = busy(attempt.request.claim, Busy::Reason::kHeld);
    drop(attempt);
    if (told) told(Answer(answer));
    return;
  }
  attempt.state = Attempt::State::kQueued;
  shared_.table.enqueue(attempt, Table::End::kFront);
  ++waiting_;
  for (const auto& [name, place] : attempt.places) name->elsewhere = true;
  const std::vector<std::string> names = attempt.request.claim.names;
  attempt.is_ticket() ? report_place(attempt) : attempt.timer.after(left);
  for (const std::string& name : names) shared_.engine.watch_free(name, [this, name] { freed(name); });
}

}  // namespace zerosuite::lock
