#include "lock/broker/acquires.hpp"

#include <algorithm>

#include "core/json.hpp"
#include "lock/broker/deadlock.hpp"

namespace zerosuite::lock {
namespace {

using core::Failure;
using core::Json;
using core::Result;

}  // namespace

Acquires::Acquires(const BrokerContext& context, Leases& holds)
    : context_(context),
      leases_(holds),
      on_timer_([this](Waiter& waiter) { on_timer(waiter); }),
      dedup_(context.limits),
      claimed_(context.limits.memory, capacity(context.limits)),
      waiters_("places for waiters", context.limits.max_waiting),
      ticket_seats_("places for tickets", context.limits.max_tickets),
      handing_over_(context.timers, context.watch),
      searching_(context.timers, context.watch) {}

Acquires::Id Acquires::acquire(Request request, Callback told) {
  return start(std::move(request), Kind::kCall, std::move(told));
}

Acquires::Id Acquires::enqueue(Request request, Callback told) {
  return start(std::move(request), Kind::kTicket, std::move(told));
}

Acquires::Id Acquires::start(Request request, Kind kind, Callback told) {
  check(request, context_.limits);
  if (request.spec.owner.empty()) request.spec.owner = "anonymous-" + random_name();  // nobody else has it
  if (const auto id = replay(request, told)) return *id;
  if (draining_) throw Failure(shutting_down());

  const LockSpec& spec = request.spec;
  const Owner* owner = context_.table.find_owner(spec.owner);
  if (kind == Kind::kTicket) refuse_tickets(request, owner);
  Hold* own = owner == nullptr ? nullptr : context_.table.entered(*owner, spec);
  if (own != nullptr) {
    Waiter& waiter = make(std::move(request), kind, std::move(told));
    const Id id = waiter.id;
    enter(waiter, *own);
    return id;
  }
  refuse_misuse(request, owner);
  const bool free = context_.table.first_in_line(spec, nullptr) && context_.table.admits(spec);
  if (!free && kind == Kind::kCall && request.wait == milliseconds(0)) {
    ++context_.counters.busy;
    told(Answer(busy(spec, Busy::Reason::kHeld)));
    return 0;
  }
  free ? leases_.seats().check(request.client, places_of(request)) : refuse_crowd(request);
  Waiter& waiter = make(std::move(request), kind, std::move(told));
  const Id id = waiter.id;
  free ? ask(waiter) : queue(waiter);
  return id;
}

// A request that was sent before: nullopt when it is new. What it has come to is remembered for a while, and
// by the attempt or the hold itself for as long as there is one.
std::optional<Acquires::Id> Acquires::replay(const Request& request, Callback& told) {
  const RequestDedup::Entry* past = dedup_.find(request);
  const Owner* owner = context_.table.find_owner(request.spec.owner);
  Waiter* waiter = past != nullptr    ? find(past->waiter)
                   : owner != nullptr ? context_.table.begun(*owner, request.spec)
                                      : nullptr;
  if (waiter != nullptr) return resume(*waiter, request, std::move(told));
  const Hold* hold = owner == nullptr ? nullptr : context_.table.granted(*owner, request.spec);
  if (past == nullptr && hold == nullptr) return {};
  dedup_.repeated(request.spec);
  Granted before = past != nullptr ? past->granted : view(*hold);
  if (past == nullptr)
    before.count = hold->spec.record(Record::Kind::kAcquire, request.spec.request_id)->count;
  again(std::move(before), told);
  return 0;
}

// The one who asks again waits in the place of the one who asked before, whose answer may be lost.
Acquires::Id Acquires::resume(Waiter& waiter, const Request& request, Callback told) {
  if (waiter.sessionless) throw Failure(core::kSessionLost, waiter.request.session + " has ended");
  if (waiter.request.session != request.session)
    throw Failure(core::kRequestConflict, "the same request was bound to another session before");
  const Id id = waiter.id;
  waiter.unwanted = false;
  join(waiter, std::move(told));
  if (waiter.state != Waiter::State::kQueued) return id;
  if (waiter.is_ticket()) {
    report_place(waiter);
  } else if (context_.timers.now() + request.wait > waiter.since + waiter.request.wait) {
    waiter.request.wait =
        std::chrono::ceil<milliseconds>(context_.timers.now() + request.wait - waiter.since);
    waiter.timer.after(request.wait);
  }
  return id;
}

// All who ask are answered: which of them was sent last nobody can tell, and only that one's client may be
// left.
void Acquires::join(Waiter& waiter, Callback told) {
  if (!waiter.done) {
    waiter.done = std::move(told);
    waiter.askers = 1;
    waiter.others.reset();
    return;
  }
  ++waiter.askers;
  if (waiter.others) return waiter.others->push_back(std::move(told));
  waiter.others = std::make_shared<std::vector<Callback>>();
  waiter.others->push_back(std::move(told));
  waiter.done = [first = std::move(waiter.done),
                 others = waiter.others](const Result<Answer>& answer) mutable {
    first(answer);
    for (Callback& other : *others) other(answer);
  };
}

// As it was, but with what is left of the lease; if nothing is, how it came to its end.
void Acquires::again(Granted before, Callback& told) {
  const Result<Hold*> hold = leases_.find({before.names.front(), before.owner, before.token});
  if (!hold) return told(hold.error());
  ++context_.counters.replays;
  before.lease = leases_.remaining(**hold);
  before.validity = validity_of(before.lease);
  before.replay = true;
  told(Answer(std::move(before)));
}

void Acquires::refuse_misuse(const Request& request, const Owner* owner) const {
  const LockSpec& spec = request.spec;
  const bool semaphore = spec.mode == Mode::kPermits;
  for (const std::string& text : spec.names) {
    const Name* name = context_.table.find_name(text);
    const LockSpec* kind = name == nullptr ? nullptr : name->kind();
    if (kind == nullptr) continue;
    if ((kind->mode == Mode::kPermits) != semaphore)
      throw Failure(core::kKindMismatch, quoted(text) + " is a " + (semaphore ? "lock" : "semaphore"));
    if (semaphore && kind->limit != spec.limit)
      throw Failure(core::kLimitMismatch,
                    quoted(text) + " has a limit of " + std::to_string(kind->limit) + ", not " +
                        std::to_string(spec.limit),
                    Json().add("limit", kind->limit));
    if (owner != nullptr && !semaphore && context_.table.lock(*owner, *name) != nullptr)
      throw Failure(core::kNotReentrant, quoted(text) + " is held by its owner in another set of names");
  }
  if (const auto left = context_.engine.recovering(); left > milliseconds(0)) throw Failure(recovering(left));
  const auto added = static_cast<std::size_t>(
      std::count_if(spec.names.begin(), spec.names.end(),
                    [&](const std::string& text) { return context_.table.find_name(text) == nullptr; }));
  if (added > 0 && context_.table.names().size() + added > context_.limits.max_locks) refuse_more();
}

void Acquires::refuse_more() const {
  throw Failure(core::kTooManyLocks,
                "as many locks are in use as may be: " + std::to_string(context_.limits.max_locks));
}

void Acquires::refuse_tickets(const Request& request, const Owner* owner) const {
  ticket_seats_.check(request.client, places_of(request));
  const std::size_t most = context_.limits.max_owner_tickets;
  if (owner != nullptr && owner->tickets >= most)
    throw Failure(core::kOverloaded, "one owner has as many tickets as it may: " + std::to_string(most));
}

void Acquires::refuse_crowd(const Request& request) const {
  waiters_.check(request.client, places_of(request));
  for (const std::string& text : request.spec.names) {
    const Name* name = context_.table.find_name(text);
    if (name == nullptr || name->queue.size() < context_.limits.max_waiters) continue;
    throw Failure(core::kQueueFull, "too many wait for " + quoted(text),
                  Json().add("queue_len", name->queue.size()));
  }
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
  context_.table.enqueue(waiter, LockTable::End::kBack);
  waiter.line_seat = waiters_.take(waiter.request.client, places_of(waiter.request));
  ++waiting_;
  if (!waiter.is_ticket()) waiter.timer.after(waiter.request.wait);
  if (waiter.owner->holds.empty()) {  // most who wait: there can be no cycle
    if (waiter.is_ticket()) report_place(waiter);
    return;
  }
  searching_.add([this, id = waiter.id] {
    search(id);
    return false;
  });
}

// Each search is a piece of its own, for it may be long; meanwhile the wait may have come to its end.
void Acquires::search(Id id) {
  Waiter* waiter = find(id);
  if (waiter == nullptr || waiter->state != Waiter::State::kQueued) return;
  const Cycle cycle = find_cycle(*waiter, ++searches_);
  if (cycle.length > 0) {
    ++context_.counters.deadlocks;
    fail(*waiter, deadlock(cycle));
    return serve();
  }
  if (waiter->is_ticket()) report_place(*waiter);
}

void Acquires::ask(Waiter& waiter) {
  waiter.state = Waiter::State::kAsking;
  waiter.timer.cancel();
  waiter.lock_seat = leases_.seats().take(waiter.request.client, places_of(waiter.request));
  waiter.asking = leases_.reserve(waiter.request, *waiter.owner);
  if (context_.timers.now() > waiter.since) waiter.asking->spec.confirm = waiter.request.confirm;
  context_.engine.acquire(
      waiter.asking->spec,
      [this, id = waiter.id](const Result<std::optional<Grant>>& answer) { asked(id, answer); });
}

void Acquires::asked(Id id, const Result<std::optional<Grant>>& answer) {
  Waiter& waiter = *find(id);
  if (answer && *answer) {
    granted(waiter, leases_.begin(std::move(waiter.asking), **answer));
    return serve();
  }
  for (const auto& [name, place] : waiter.asking->places) touch(*name);
  leases_.give_up(std::move(waiter.asking));
  waiter.lock_seat = {};
  answer ? on_conflict(waiter) : fail(waiter, answer.error());
  serve();
}

// Somebody the broker does not know was faster: the engine has other users.
void Acquires::on_conflict(Waiter& waiter) {
  const auto left = waiter.since + waiter.request.wait - context_.timers.now();
  if (draining_) return fail(waiter, shutting_down());
  if (waiter.unwanted || (!waiter.is_ticket() && left <= core::Clock::duration::zero())) {
    Callback told = std::move(waiter.done);
    const Busy answer = busy(waiter.request.spec, Busy::Reason::kHeld);
    drop(waiter);
    if (told) told(Answer(answer));
    return;
  }
  waiter.state = Waiter::State::kQueued;
  context_.table.enqueue(waiter, LockTable::End::kFront);
  ++waiting_;
  for (const auto& [name, place] : waiter.places) name->elsewhere = true;
  const std::vector<std::string> names = waiter.request.spec.names;
  waiter.is_ticket() ? report_place(waiter) : waiter.timer.after(left);
  for (const std::string& name : names) context_.engine.watch_free(name, [this, name] { freed(name); });
}

}  // namespace zerosuite::lock
