#include "lock/broker/leases.hpp"

#include <algorithm>

#include "core/json.hpp"

namespace zerosuite::lock {
namespace {

using core::Error;
using core::Json;
using core::Result;

constexpr int kWarnAt = 3;  // kExpiring is sent a third of the lease before its end

std::string release_of(const HoldKey& key) {
  return std::to_string(key.token) + ' ' + std::to_string(key.owner.size()) + ' ' + key.owner +
         key.request_id;
}

milliseconds whole_ms(core::Clock::duration duration) { return std::chrono::floor<milliseconds>(duration); }

constexpr std::size_t kMostRecords = 32;  // kept per hold, the latest ones

void note(LockSpec& spec, Record::Kind kind, const std::string& request_id, std::uint32_t count) {
  if (request_id.empty()) return;
  if (spec.records.size() == kMostRecords) spec.records.erase(spec.records.begin());
  spec.records.push_back({kind, request_id, count});
}

void strike(LockSpec& spec, Record::Kind kind, const std::string& request_id) {
  std::erase_if(spec.records, [&](const Record& record) { return record.is(kind, request_id); });
}

Event::Kind event_of(Ended::How how) {
  switch (how) {
    case Ended::How::kReleased:
      return Event::Kind::kReleased;
    case Ended::How::kRevoked:
      return Event::Kind::kRevoked;
    case Ended::How::kExpired:
    case Ended::How::kSessionLost:
      break;
  }
  return Event::Kind::kLost;
}

bool has_name(const Hold& hold, const std::string& name) {
  return std::find(hold.spec.names.begin(), hold.spec.names.end(), name) != hold.spec.names.end();
}

Error ended_error(const HoldKey& key, const Ended& ended) {
  const std::string lock = quoted(key.name);
  switch (ended.how) {
    case Ended::How::kReleased:
      return {core::kNotHeld, lock + " was released with this token before"};
    case Ended::How::kExpired:
      return {core::kLeaseExpired, "the lease of " + lock + " had passed"};
    case Ended::How::kRevoked:
      return {core::kStaleToken, lock + " was taken back by an operator"};
    case Ended::How::kSessionLost:
      return {core::kSessionLost, "the session that held " + lock + " is gone"};
  }
  return {};
}

}  // namespace

Leases::Leases(const BrokerContext& context, Gone gone, Freed freed)
    : context_(context),
      on_timer_([this](Hold& hold) { on_timer(hold); }),
      gone_(std::move(gone)),
      freed_(std::move(freed)),
      seats_("places for locks", context.limits.max_locks, core::kTooManyLocks),
      ended_(context.limits.memory, capacity(context.limits)),
      releases_(context.limits.memory, capacity(context.limits)) {}

std::unique_ptr<Hold> Leases::reserve(const Request& request, Owner& owner) {
  auto hold = std::make_unique<Hold>(context_.timers, on_timer_);
  hold->spec = request.spec;
  note(hold->spec, Record::Kind::kAcquire, std::exchange(hold->spec.request_id, {}), 1);
  hold->owner = &owner;
  hold->session = request.session;
  hold->indefinite = request.indefinite;
  hold->since = context_.timers.now();
  context_.table.add(*hold);
  return hold;
}

void Leases::give_up(std::unique_ptr<Hold> hold) { context_.table.remove(*hold); }

Hold& Leases::begin(std::unique_ptr<Hold> hold, const Grant& grant) {
  Hold& held = *hold;
  held.token = grant.token;
  const auto now = context_.timers.now();
  held.since = now - held.spec.held;
  held.expires = std::min(last(held), held.indefinite ? core::TimePoint::max() : now + grant.lease);
  if (held.spec.confirm > milliseconds(0)) held.expires = std::min(held.expires, now + held.spec.confirm);
  context_.table.named(held);
  leases_.emplace(grant.token, std::move(hold));
  arm(held);
  return held;
}

Hold& Leases::restore(const RecoveredHold& held) {
  Request request;
  request.spec = held.spec;  // its client is unknown
  Hold& hold = begin(reserve(request, context_.table.owner(held.spec.owner)), {held.token, held.remaining});
  hold.entered_again = true;  // unknown, so assumed: the number of entries is not stored
  hold.seat = seats_.take(request.client, places_of(request));
  return hold;
}

void Leases::enter(Hold& hold, const Request& request, core::Done<Hold*> done) {
  const std::string lock = quoted(hold.spec.names.front());
  if (!request.reentrant) return done(Error{core::kNotReentrant, lock + " is held by its owner already"});
  if (hold.spec.mode == Mode::kShared && request.spec.mode == Mode::kExclusive)
    return done(Error{core::kUpgradeNotAllowed,
                      lock + " is held in shared mode; release it and acquire it exclusively"});
  if (hold.spec.count >= context_.limits.max_entries)
    return done(
        Error{core::kReentrancyLimit, lock + " was entered " + std::to_string(hold.spec.count) + " times"});

  const std::string& request_id = request.spec.request_id;
  const milliseconds lease = extended_lease(hold, std::min(request.spec.lease, max_extension(hold)));
  ++hold.spec.count;  // at once: concurrent requests must see it
  hold.entered_again = true;
  hold.spec.confirm = milliseconds(0);
  note(hold.spec, Record::Kind::kAcquire, request_id, hold.spec.count);
  amend(hold, [this, token = hold.token, lease, request_id,
               told = std::move(done)](const Result<Hold*>& amended) mutable {
    if (!amended) {
      if (Hold* still = find(token)) {  // may wrap below zero until later changes have failed too
        --still->spec.count;
        strike(still->spec, Record::Kind::kAcquire, request_id);
      }
      return told(amended.error());
    }
    Hold& entered = **amended;
    entered.expires = prolonged(entered, lease);
    ++context_.counters.reentries;
    told(&entered);
  });
}

void Leases::undo(Token token, const std::string& request_id) {
  Hold* hold = find(token);
  if (hold == nullptr || hold->spec.count == 0) return;
  strike(hold->spec, Record::Kind::kAcquire, request_id);
  leave(*hold, {hold->spec.names.front(), hold->spec.owner, token}, [](const Result<Released>&) {});
}

void Leases::release(const HoldKey& key, core::Done<Released> done) {
  if (const Released* before = key.request_id.empty() ? nullptr : releases_.find(release_of(key)))
    return done(Released{before->count, before->held, true});
  const Result<Hold*> found = find(key);
  const auto now = context_.timers.now();
  if (!found) {
    const Ended* ended = ended_.find(key.token);
    if (ended != nullptr && ended->how == Ended::How::kReleased && ended->is(key.owner, key.name))
      return done(Released{0, ended->held, true});
    return done(found.error());
  }
  Hold& hold = **found;
  const milliseconds held = whole_ms(now - hold.since);
  if (const Record* before = hold.spec.record(Record::Kind::kRelease, key.request_id))
    return repeat(key, {before->count, held, true}, std::move(done));
  // The last release is on its way to the disk; without an id this counts as its repeat.
  if (hold.spec.count == 0) return repeat(key, {0, held, true}, std::move(done));
  leave(hold, key, std::move(done));
}

// Replies to a repeated release once the release is stored.
void Leases::repeat(const HoldKey& key, Released before, core::Done<Released> done) {
  Hold& hold = *find(key.token);
  if (hold.amending == 0) return done(before);
  amend(hold, [key, before, told = std::move(done)](const Result<Hold*>& kept) mutable {
    if (!kept && kept.error().name == core::kStorageError.name) return told(kept.error());
    told(before);
  });
}

// A hold that was entered only once is freed at once; a crash that forgets the release only costs the rest of
// the lease. For a re-entered hold the release must be stored with its record first: executed twice, it would
// free the lock while its owner still holds it.
void Leases::leave(Hold& hold, const HoldKey& key, core::Done<Released> done) {
  const Released released{--hold.spec.count, whole_ms(context_.timers.now() - hold.since), false};
  note(hold.spec, Record::Kind::kRelease, key.request_id, released.count);
  if (released.count == 0 && !hold.entered_again) {
    if (!key.request_id.empty()) releases_.put(release_of(key), released, context_.timers.now());
    ++context_.counters.releases;
    end(hold, Ended::How::kReleased);
    return done(released);
  }
  amend(hold, [this, key, released, told = std::move(done)](const Result<Hold*>& kept) mutable {
    left(key, released, kept, told);
  });
}

void Leases::left(const HoldKey& key, Released released, const Result<Hold*>& kept,
                  core::Done<Released>& told) {
  Hold* hold = find(key.token);
  if (!kept) {
    if (hold == nullptr) return told(kept.error());
    ++hold->spec.count;
    strike(hold->spec, Record::Kind::kRelease, key.request_id);
    return told(kept.error());
  }
  if (!key.request_id.empty()) releases_.put(release_of(key), released, context_.timers.now());
  if (released.count == 0) {
    ++context_.counters.releases;
    end(*hold, Ended::How::kReleased);
  }
  told(released);
}

void Leases::extend(const HoldKey& key, milliseconds lease, core::Done<Extended> done) {
  const Result<Hold*> found = find(key);
  if (!found) return done(found.error());
  Hold& hold = **found;
  if (std::max(remaining(hold), lease) > max_extension(hold))
    return done(Error{core::kExtendLimit,
                      quoted(key.name) + " may be held for at most " +
                          std::to_string(context_.limits.most_held.count()) + " ms",
                      Json().add("remaining_ms", remaining(hold).count())});
  lease = extended_lease(hold, lease);
  hold.spec.confirm = milliseconds(0);
  amend(hold, [this, lease, told = std::move(done)](const Result<Hold*>& amended) mutable {
    if (!amended) return told(amended.error());
    Hold& extended = **amended;
    extended.expires = prolonged(extended, lease);
    ++extended.extensions;
    ++context_.counters.extensions;
    told(Extended{remaining(extended), extended.extensions});
  });
}

void Leases::downgrade(const HoldKey& key, core::Done<Hold*> done) {
  const Result<Hold*> found = find(key);
  if (!found) return done(found.error());
  Hold& hold = **found;
  if (hold.spec.mode == Mode::kShared) return done(&hold);
  hold.spec.mode = Mode::kShared;
  amend(hold, [this, token = hold.token, told = std::move(done)](Result<Hold*> amended) mutable {
    Hold* still = find(token);
    if (!amended && still != nullptr) still->spec.mode = Mode::kExclusive;
    const bool context = static_cast<bool>(amended);
    const std::vector<std::string> names = still == nullptr ? std::vector<std::string>() : still->spec.names;
    told(std::move(amended));
    if (!context) return;
    for (const std::string& name : names) freed_(name);  // for waiting readers
  });
}

// Stores the hold and completes with its state at that time. A request that arrived before the lease ended
// counts even if it is written later.
void Leases::amend(Hold& hold, core::Done<Hold*> done) {
  ++hold.amending;
  const HoldKey key{hold.spec.names.front(), hold.spec.owner, hold.token};
  core::Done<bool> then = [this, key, told = std::move(done)](const Result<bool>& kept) mutable {
    amended(key, kept, told);
    Hold* still = find(key.token);
    if (still != nullptr && still->amending == 0) settle(*still);
  };
  if (auto kept = context_.engine.amend(hold.token, hold.spec, then)) then(*std::move(kept));
}

// Ends a hold whose count has dropped to zero because an entry could not be stored.
void Leases::settle(Hold& hold) {
  if (hold.spec.count > 0) return arm(hold);
  ++context_.counters.releases;
  end(hold, Ended::How::kReleased);
}

void Leases::amended(const HoldKey& key, const Result<bool>& kept, core::Done<Hold*>& told) {
  Hold* hold = find(key.token);
  if (hold != nullptr) --hold->amending;
  if (hold != nullptr && kept && !*kept) {
    end(*hold, Ended::How::kExpired);
    hold = nullptr;
  }
  if (hold == nullptr) return told(missing(key));
  if (!kept) {
    hold->wanted = hold->expires;
    return told(kept.error());
  }
  told(hold);
}

void Leases::end(Hold& hold, Ended::How how, const std::string& reason) {
  auto node = leases_.extract(hold.token);
  const std::unique_ptr<Hold> ended = std::move(node.mapped());
  const auto held = context_.timers.now() - ended->since;
  ended->timer.cancel();
  ended->seat = {};
  if (how != Ended::How::kReleased) delay(*ended);
  context_.table.remove(*ended);
  ended_.put(ended->token, Ended(how, ended->spec, whole_ms(held)), context_.timers.now());
  context_.counters.held.add(held);
  for (const Record& record : ended->spec.records) {
    const std::string release = release_of({{}, ended->spec.owner, ended->token, {}, record.request_id});
    if (record.kind == Record::Kind::kRelease && releases_.find(release) == nullptr)
      releases_.put(release, {record.count, whole_ms(held), false}, context_.timers.now());
  }
  gone_(*ended);
  tell(event_of(how), *ended, reason);
  const Ending ending = how == Ended::How::kReleased ? Ending::kReleased : Ending::kTaken;
  core::Done<bool> then = [this, names = std::move(ended->spec.names)](const Result<bool>&) {
    for (const std::string& name : names) freed_(name);
  };
  if (auto known = context_.engine.release(ended->token, ending, then)) then(*std::move(known));
}

Granted Leases::view(const Hold& hold) const {
  const LockSpec& spec = hold.spec;
  Granted granted;
  granted.names = spec.names;
  granted.owner = spec.owner;
  granted.token = hold.token;
  granted.lease = remaining(hold);
  granted.validity = validity_of(granted.lease);
  granted.count = spec.count;
  granted.mode = spec.mode;
  if (spec.mode == Mode::kPermits && !hold.places.empty())
    granted.available = spec.limit - hold.places.front().first->permits;
  return granted;
}

Hold* Leases::find(Token token) {
  const auto found = leases_.find(token);
  return found == leases_.end() ? nullptr : found->second.get();
}

milliseconds Leases::remaining(const Hold& hold) const {
  const auto left = std::max(milliseconds(0), whole_ms(hold.expires - context_.timers.now()));
  return hold.indefinite ? std::min(left, hold.spec.lease) : left;
}

milliseconds Leases::max_extension(const Hold& hold) const {
  const milliseconds most = context_.limits.most_held;
  if (most == milliseconds(0)) return milliseconds::max();
  return std::max(milliseconds(0), whole_ms(hold.since + most - context_.timers.now()));
}

// When a hold without a lease ends if its session does not end it first.
core::TimePoint Leases::last(const Hold& hold) const {
  const milliseconds most = context_.limits.most_held;
  return most == milliseconds(0) ? core::TimePoint::max() : hold.since + most;
}

core::TimePoint Leases::prolonged(const Hold& hold, milliseconds lease) const {
  return hold.indefinite ? last(hold) : std::max(hold.expires, context_.timers.now() + lease);
}

// Never ends before an earlier extension that is still on its way to the disk.
milliseconds Leases::extended_lease(Hold& hold, milliseconds lease) {
  const auto now = context_.timers.now();
  if (context_.limits.most_held > milliseconds(0)) hold.spec.held = whole_ms(now - hold.since);
  if (hold.indefinite) return hold.spec.lease;
  hold.wanted = std::max({hold.wanted, hold.expires, now + lease});
  hold.spec.lease = std::chrono::ceil<milliseconds>(hold.wanted - now);
  return hold.spec.lease;
}

// Sets the timer for the warning even if there is no session yet: one may be open by then.
void Leases::arm(Hold& hold) {
  if (hold.expires == core::TimePoint::max()) return hold.timer.cancel();
  const auto warning = hold.expires - hold.spec.lease / kWarnAt;
  hold.timer.at(warning > context_.timers.now() ? warning : hold.expires);
}

// Runs as a chore, since very many leases may end at the same moment.
void Leases::lapse(Token token) {
  Hold* hold = find(token);
  if (hold == nullptr || hold->amending > 0 || hold->timer.armed()) return;  // extended in time
  ++context_.counters.expired;
  end(*hold, Ended::How::kExpired);
}

void Leases::on_timer(Hold& hold) {
  if (context_.timers.now() >= hold.expires) {
    if (hold.amending > 0) return;
    return context_.chores.add([this, token = hold.token] {
      lapse(token);
      return false;
    });
  }
  hold.timer.at(hold.expires);
  tell(Event::Kind::kExpiring, hold);
}

// Gives an owner that may not know of its lost lock time to notice (Burrows 2006, 2.4: lock-delay).
void Leases::delay(const Hold& hold) {
  if (hold.spec.lock_delay <= milliseconds(0)) return;
  for (const auto& [name, place] : hold.places) {
    name->delayed_for = hold.spec.owner;
    if (!name->delay)
      name->delay = std::make_unique<net::Timer>(context_.timers,
                                                 [this, text = std::string(name->text)] { freed_(text); });
    name->delay->after(hold.spec.lock_delay);
  }
}

void Leases::tell(Event::Kind kind, const Hold& hold, const std::string& text) {
  if (context_.events.size() == 0) return;
  Event event{kind, {}, hold.spec.owner, hold.token, remaining(hold), text};
  for (const std::string& name : hold.spec.names) {
    event.name = name;
    context_.events.tell(event);
  }
}

Result<Hold*> Leases::find(const HoldKey& key) {
  Hold* hold = find(key.token);
  if (hold == nullptr || !has_name(*hold, key.name)) return missing(key);
  if (hold->spec.owner != key.owner)
    return Error{core::kNotOwner, quoted(key.name) + " is held by somebody else",
                 Json().add("holder", hold->spec.owner)};
  const bool semaphore = hold->spec.mode == Mode::kPermits;
  if (key.kind != HoldKey::Kind::kAny && semaphore != (key.kind == HoldKey::Kind::kSemaphore))
    return Error{core::kKindMismatch, quoted(key.name) + " is a " + (semaphore ? "semaphore" : "lock")};
  return hold;
}

const Hold* Leases::find(Token token, const std::string& name) const {
  const auto found = leases_.find(token);
  return found == leases_.end() || !has_name(*found->second, name) ? nullptr : found->second.get();
}

Error Leases::missing(const HoldKey& key) {
  const Ended* ended = ended_.find(key.token);
  if (ended != nullptr && ended->is(key.owner, key.name)) return ended_error(key, *ended);
  if (const auto left = context_.engine.recovering(); left > milliseconds(0)) return recovering(left);
  const Name* name = context_.table.find_name(key.name);
  if (name == nullptr || name->holds.empty()) return {core::kNotHeld, "nobody holds " + quoted(key.name)};
  const Owner* owner = context_.table.find_owner(key.owner);
  const Hold* own = owner == nullptr ? nullptr : context_.table.held(*owner, *name);
  if (own != nullptr)
    return {core::kStaleToken,
            quoted(key.name) + " is held with another token than " + std::to_string(key.token),
            Json().add("token", own->token)};
  return {core::kNotOwner, quoted(key.name) + " is held by somebody else",
          Json().add("holder", name->holds.front()->spec.owner)};
}

}  // namespace zerosuite::lock
