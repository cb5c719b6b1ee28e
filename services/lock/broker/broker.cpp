#include "lock/broker/broker.hpp"

#include <algorithm>
#include <memory>

#include "core/text.hpp"

namespace zerosuite::lock {
namespace {

using core::Failure;

constexpr int kSweepsAMemory = 4;  // entries are forgotten at most a quarter of Limits::memory late

using Set = std::pair<Token, std::vector<std::string>>;

// Collects the results of several holds and completes once.
class Batch {
 public:
  Batch(std::size_t open, core::Done<BatchResult> done) : open_(open), done_(std::move(done)) {
    if (open_ == 0) done_(BatchResult());
  }

  template <class T>
  void settle(const Set& set, const core::Result<T>& result) {
    for (const std::string& name : set.second) {
      if (result) {
        result_.done.push_back(name);
      } else {
        result_.missed.push_back({name, set.first, result.error()});
      }
    }
    if (--open_ == 0) done_(std::move(result_));
  }

 private:
  std::size_t open_;
  core::Done<BatchResult> done_;
  BatchResult result_;
};

// Groups the names by token: the names of a set share one.
std::map<Token, std::vector<std::string>> sets_of(const std::vector<Ticketed>& held) {
  std::map<Token, std::vector<std::string>> sets;
  for (const auto& [name, token] : held) sets[token].push_back(name);
  for (auto& [token, names] : sets) std::sort(names.begin(), names.end());
  return sets;
}

constexpr std::size_t kShown = 100;            // maximum number of holders, and of waiters, shown of one name
constexpr std::size_t kPageBytes = 256 << 10;  // a page ends here even below its maximum number of entries

// Approximate packed size in bytes.
std::size_t weight(const HolderView& holder) {
  return 120 + holder.owner.size() + holder.session.size() + holder.data.size();
}

std::size_t weight(const NameView& name) {
  std::size_t bytes = 100 + name.name.size();
  for (const HolderView& holder : name.holders) bytes += weight(holder);
  for (const WaiterView& waiter : name.waiters) bytes += 40 + waiter.owner.size();
  return bytes;
}

Token token_of(const std::string& cursor) {
  if (cursor.empty()) return 0;
  if (const auto token = core::parse<Token>(cursor)) return *token;
  throw core::Failure(core::kInvalidArgument,
                      "cursor must be empty or what the page before answered, not " + quoted(cursor));
}

}  // namespace

Broker::Broker(net::Timers& timers, Engine& engine, const Limits& limits, net::Chores::Watch watch)
    : timers_(timers),
      engine_(engine),
      limits_(limits),
      epoch_(engine.capabilities().epoch),
      watch_(std::move(watch)),
      leases_(
          context_, [this](const Hold& hold) { acquires_.gone(hold); },
          [this](const std::string& name) { acquires_.freed(name); }),
      acquires_(context_, leases_),
      sessions_(context_, leases_, acquires_),
      sweep_(timers, [this] { sweep(); }) {
  for (const RecoveredHold& held : engine.holds()) acquires_.remember(leases_.restore(held));
  sweep();
}

void Broker::sweep() {
  chores_.add([this] {
    const bool holds = leases_.forget();
    return !acquires_.forget() || !holds;
  });
  sweep_.after(limits_.memory / kSweepsAMemory);
}

Acquires::Id Broker::acquire(Request request, Acquires::Callback told) {
  if (!request.session.empty()) sessions_.check(request.session, request.spec.owner);
  return acquires_.acquire(std::move(request), std::move(told));
}

Acquires::Id Broker::enqueue(Request request, Acquires::Callback told) {
  if (!request.session.empty()) sessions_.check(request.session, request.spec.owner);
  return acquires_.enqueue(std::move(request), std::move(told));
}

void Broker::release(const HoldKey& key, core::Done<Released> done) {
  const core::Result<Hold*> found = leases_.find(key);
  if (found && (*found)->spec.names.size() > 1)
    return done(
        core::Error{core::kInvalidArgument, "\"" + key.name +
                                                "\" was acquired together with other names and must be "
                                                "released with them, by release_many()"});
  leases_.release(key, std::move(done));
}

void Broker::downgrade(const HoldKey& key, core::Done<Answer> done) {
  leases_.downgrade(key, [this, told = std::move(done)](const core::Result<Hold*>& context) mutable {
    if (!context) return told(context.error());
    told(Answer(leases_.view(**context)));
  });
}

// Part of a set cannot be released: its names share one token.
void Broker::refuse_parts(const std::string& owner, const Sets& sets) {
  for (const auto& [token, names] : sets) {
    const Hold* hold = leases_.find(token);
    if (hold == nullptr || hold->spec.owner != owner || hold->spec.names == names) continue;
    for (const std::string& name : hold->spec.names) {
      if (!std::binary_search(names.begin(), names.end(), name))
        throw Failure(core::kInvalidArgument, "\"" + name + "\" was acquired together with \"" +
                                                  names.front() + "\" and must be released with it");
    }
    throw Failure(core::kInvalidArgument,
                  "token " + std::to_string(token) + " is not of all names it is given for");
  }
}

void Broker::release_many(const std::string& owner, const std::vector<Ticketed>& held,
                          const std::string& request_id, core::Done<BatchResult> done) {
  const Sets sets = sets_of(held);
  refuse_parts(owner, sets);
  const auto batch = std::make_shared<Batch>(sets.size(), std::move(done));
  for (const auto& [token, names] : sets) {
    leases_.release({names.front(), owner, token, HoldKey::Kind::kAny, request_id},
                    [batch, set = Set{token, names}](const core::Result<Released>& released) {
                      batch->settle(set, released);
                    });
  }
}

void Broker::renew(const std::string& owner, const std::vector<Ticketed>& held, milliseconds lease,
                   core::Done<BatchResult> done) {
  check_lease(lease, limits_);
  const Sets sets = sets_of(held);
  const auto batch = std::make_shared<Batch>(sets.size(), std::move(done));
  for (const auto& [token, names] : sets) {
    leases_.extend({names.front(), owner, token}, lease,
                   [batch, set = Set{token, names}](const core::Result<Extended>& extended) {
                     batch->settle(set, extended);
                   });
  }
}

// Revokes the holds present now, in pieces. Readers granted meanwhile, whose tokens are later than the last
// one now, keep their holds.
void Broker::force_release(const std::string& name, const std::string& reason, core::Done<Revoked> done) {
  check_name(name);
  Token last = 0;
  if (const Name* known = table_.find_name(name)) {
    const auto found = std::find_if(known->holds.rbegin(), known->holds.rend(),
                                    [](const Hold* hold) { return hold->token != 0; });
    if (found != known->holds.rend()) last = (*found)->token;
  }
  chores_.add([this, name, reason, last, revoked = Revoked(), told = std::move(done)]() mutable {
    const Name* known = table_.find_name(name);
    Hold* hold = known == nullptr || known->holds.empty() ? nullptr : known->holds.front();
    if (hold == nullptr || hold->token == 0 || hold->token > last) {
      told(revoked);
      return false;
    }
    revoked.token = std::max(revoked.token, hold->token + 1);
    ++revoked.released;
    ++counters_.revoked;
    leases_.end(*hold, Ended::How::kRevoked, reason);
    return true;
  });
}

void Broker::drain(EventBus::Stay stay) {
  acquires_.drain();
  events_.drain(stay);
}

HolderView Broker::view(const Hold& hold) const {
  const LockSpec& spec = hold.spec;
  return {.owner = spec.owner,
          .token = hold.token,
          .mode = spec.mode,
          .permits = spec.permits,
          .count = spec.count,
          .remaining = leases_.remaining(hold),
          .held = std::chrono::floor<milliseconds>(timers_.now() - hold.since),
          .session = hold.session,
          .data = spec.data};
}

NameView Broker::view(const Name& name) const {
  NameView view;
  view.name = name.text;
  view.queue_length = name.queue.size();
  if (const LockSpec* kind = name.kind()) {
    view.semaphore = kind->mode == Mode::kPermits;
    view.limit = kind->limit;
  }
  view.holder_count = name.holds.size();
  for (const Hold* hold : name.holds) {
    if (view.holders.size() == kShown) break;
    if (hold->token != 0) view.holders.push_back(this->view(*hold));
  }
  for (const Waiter* waiter : name.queue) {
    if (view.waiters.size() == kShown) break;
    view.waiters.push_back({waiter->request.spec.owner, waiter->request.spec.mode,
                            std::chrono::floor<milliseconds>(timers_.now() - waiter->since)});
  }
  return view;
}

Check Broker::check(const std::string& name, Token token) const {
  check_name(name);
  Check check;
  const Name* known = table_.find_name(name);
  if (known == nullptr && engine_.recovering() > milliseconds(0))
    throw core::Failure(recovering(engine_.recovering()));
  if (known == nullptr) return check;
  const Hold* hold = leases_.find(token, name);
  check.valid = hold != nullptr && !leases_.passed(*hold);
  if (!check.valid) {
    const auto newest = std::find_if(known->holds.rbegin(), known->holds.rend(), [this](const Hold* one) {
      return one->token != 0 && !leases_.passed(*one);
    });
    if (newest == known->holds.rend()) return check;
    hold = *newest;
  }
  check.current = hold->token;
  check.owner = hold->spec.owner;
  check.remaining = leases_.remaining(*hold);
  return check;
}

NameView Broker::info(const std::string& name) const {
  check_name(name);
  const Name* known = table_.find_name(name);
  if (known != nullptr) return view(*known);
  NameView free;
  free.name = name;
  return free;
}

Page Broker::list(const std::string& prefix, std::size_t limit, const std::string& cursor) const {
  Page page;
  std::size_t bytes = 0;
  const auto& names = table_.names();
  for (auto at = names.lower_bound(std::max(prefix, cursor)); at != names.end(); ++at) {
    if (!at->first.starts_with(prefix)) break;
    if (page.names.size() == limit || bytes > kPageBytes) {
      page.cursor = at->first;
      break;
    }
    page.names.push_back(view(at->second));
    bytes += weight(page.names.back());
  }
  return page;
}

HoldsPage Broker::holds_of(const std::string& owner, std::size_t limit, const std::string& cursor) const {
  const Token from = token_of(cursor);
  HoldsPage page;
  const Owner* known = table_.find_owner(owner);
  if (known == nullptr) return page;
  std::size_t bytes = 0;
  for (auto at = known->holds.lower_bound(from); at != known->holds.end() && at->first < kUnnamed; ++at) {
    if (page.holds.size() >= limit || bytes > kPageBytes) {
      page.cursor = std::to_string(at->first);
      break;
    }
    const HolderView holder = view(*at->second);
    for (const std::string& name : at->second->spec.names) page.holds.emplace_back(name, holder);
    bytes += at->second->spec.names.size() * (weight(holder) + kMaxNameBytes);
  }
  return page;
}

const Hold* Broker::held_by(const std::string& name, const std::string& owner) const {
  const Name* known = table_.find_name(name);
  const Owner* holder = known == nullptr ? nullptr : table_.find_owner(owner);
  return holder == nullptr ? nullptr : table_.held(*holder, *known);
}

}  // namespace zerosuite::lock
