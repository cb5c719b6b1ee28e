#include "lock/broker/lock_table.hpp"

#include <algorithm>
#include <ext/pb_ds/assoc_container.hpp>
#include <ext/pb_ds/tree_policy.hpp>
#include <iterator>

namespace zerosuite::lock {

/// The ordered ids of a queue with their ranks (libstdc++'s policy-based tree). Created only for long queues
/// in which a position was requested.
struct Ranks : __gnu_pbds::tree<std::uint64_t, __gnu_pbds::null_type, std::less<>, __gnu_pbds::rb_tree_tag,
                                __gnu_pbds::tree_order_statistics_node_update> {};

namespace {

constexpr std::size_t kLongQueue = 64;
constexpr std::size_t kManyHolds = 64;

template <class Map>
auto* find_in(Map& map, std::string_view text) {
  const auto found = map.find(text);
  return found == map.end() ? nullptr : &found->second;
}

template <class Map>
auto& find_or_add(Map& map, const std::string& text) {
  const auto [entry, added] = map.try_emplace(text);
  if (added) entry->second.text = entry->first;
  return entry->second;
}

bool compatible(const Name& name, const LockSpec& spec) {
  if (name.holds.empty()) return true;
  const LockSpec& held = name.holds.front()->spec;
  if (spec.mode != held.mode || spec.mode == Mode::kExclusive) return false;
  return spec.mode == Mode::kShared || spec.permits <= spec.limit - name.permits;
}

bool is_of(const Hold& hold, const Name& name) {
  return std::any_of(hold.places.begin(), hold.places.end(),
                     [&](const auto& place) { return place.first == &name; });
}

// One of the owner's holds of that name that satisfies the predicate. Scans the shorter list: a name may have
// many readers, and an owner many locks.
template <class Predicate>
Hold* find_hold(const Owner& owner, const Name& name, Predicate will_do) {
  const auto is_it = [&](const Hold* hold) { return hold->owner == &owner && will_do(*hold); };
  if (name.by_owner) {
    const auto end = name.by_owner->end();
    for (auto at = name.by_owner->lower_bound({&owner, nullptr}); at != end && at->first == &owner; ++at)
      if (is_it(at->second)) return at->second;
    return nullptr;
  }
  if (owner.holds.size() < name.holds.size()) {
    const auto found = std::find_if(owner.holds.begin(), owner.holds.end(),
                                    [&](const auto& entry) { return is_it(entry.second); });
    return found == owner.holds.end() ? nullptr : found->second;
  }
  const auto found = std::find_if(name.holds.begin(), name.holds.end(), is_it);
  return found == name.holds.end() ? nullptr : *found;
}

void index(Name& name, Hold& hold) {
  if (name.by_owner) {
    name.by_owner->emplace(hold.owner, &hold);
  } else if (name.holds.size() > kManyHolds) {
    name.by_owner = std::make_unique<Name::ByOwner>();
    for (Hold* held : name.holds) name.by_owner->emplace(held->owner, held);
  }
}

bool is_lock(const Hold& hold) { return hold.spec.mode != Mode::kPermits; }

// Granted, and not being released.
bool is_held(const Hold& hold) { return hold.token != 0 && hold.spec.count > 0; }

}  // namespace

// All callers get the outcome: perhaps only the latest still has a client, and which that is is unknown.
void Waiter::join(core::Done<Answer> told) {
  if (!done) {
    done = std::move(told);
    askers = 1;
    others.reset();
    return;
  }
  ++askers;
  if (others) return others->push_back(std::move(told));
  others = std::make_shared<std::vector<core::Done<Answer>>>();
  others->push_back(std::move(told));
  done = [first = std::move(done), others = others](const core::Result<Answer>& answer) mutable {
    first(answer);
    for (core::Done<Answer>& other : *others) other(answer);
  };
}

const LockSpec* Name::kind() const {
  if (!holds.empty()) return &holds.front()->spec;
  return queue.empty() ? nullptr : &queue.front()->request.spec;
}

Name* LockTable::find_name(std::string_view text) { return find_in(names_, text); }
const Name* LockTable::find_name(std::string_view text) const { return find_in(names_, text); }
Owner* LockTable::find_owner(std::string_view text) { return find_in(owners_, text); }
const Owner* LockTable::find_owner(std::string_view text) const { return find_in(owners_, text); }
Name& LockTable::name(const std::string& text) { return find_or_add(names_, text); }
Owner& LockTable::owner(const std::string& text) { return find_or_add(owners_, text); }

void LockTable::add(Hold& hold) {
  for (const std::string& text : hold.spec.names) {
    Name& at = name(text);
    hold.places.emplace_back(&at, at.holds.insert(at.holds.end(), &hold));
    index(at, hold);
    if (hold.spec.mode == Mode::kPermits) at.permits += hold.spec.permits;
  }
  const Token key = hold.token != 0 ? hold.token : ++unnamed_;
  hold.of_owner = hold.owner->holds.emplace(key, &hold).first;
  if (hold.session.empty()) return;
  hold.bound = &bound_[hold.session];
  hold.of_session = hold.bound->holds.insert(hold.bound->holds.end(), &hold);
}

void LockTable::named(Hold& hold) {
  auto entry = hold.owner->holds.extract(hold.of_owner);
  entry.key() = hold.token;
  hold.of_owner = hold.owner->holds.insert(std::move(entry)).position;
}

void LockTable::remove(Hold& hold) {
  for (const auto& [name, place] : hold.places) {
    name->holds.erase(place);
    if (name->by_owner) name->by_owner->erase({hold.owner, &hold});
    if (name->holds.empty()) name->by_owner.reset();
    if (hold.spec.mode == Mode::kPermits) name->permits -= hold.spec.permits;
  }
  hold.places.clear();
  hold.owner->holds.erase(hold.of_owner);
  unbind(hold);
}

const Bound* LockTable::bound(const std::string& session) const {
  const auto found = bound_.find(session);
  return found == bound_.end() ? nullptr : &found->second;
}

void LockTable::unbind(Hold& hold) {
  Bound* bound = std::exchange(hold.bound, nullptr);
  if (bound == nullptr) return;
  bound->holds.erase(hold.of_session);
  if (bound->holds.empty() && bound->acquires.empty()) bound_.erase(hold.session);
}

void LockTable::unbind(Waiter& waiter) {
  Bound* bound = std::exchange(waiter.bound, nullptr);
  if (bound == nullptr) return;
  bound->acquires.erase(waiter.of_session);
  if (bound->holds.empty() && bound->acquires.empty()) bound_.erase(waiter.request.session);
}

void LockTable::add(Waiter& waiter) {
  waiter.of_owner = waiter.owner->acquires.insert(waiter.owner->acquires.end(), &waiter);
  if (waiter.is_ticket()) ++waiter.owner->tickets;
  const LockSpec& spec = waiter.request.spec;
  if (!spec.request_id.empty()) begun_.emplace(request_key(spec), &waiter);
  if (waiter.request.session.empty()) return;
  waiter.bound = &bound_[waiter.request.session];
  waiter.of_session = waiter.bound->acquires.insert(waiter.bound->acquires.end(), &waiter);
}

void LockTable::remove(Waiter& waiter) {
  dequeue(waiter);
  waiter.owner->acquires.erase(waiter.of_owner);
  if (waiter.is_ticket()) --waiter.owner->tickets;
  const LockSpec& spec = waiter.request.spec;
  if (!spec.request_id.empty()) {
    auto [at, last] = begun_.equal_range(request_key(spec));
    while (at != last && at->second != &waiter) ++at;
    if (at != last) begun_.erase(at);
  }
  unbind(waiter);
}

void LockTable::enqueue(Waiter& waiter, End end) {
  for (const std::string& text : waiter.request.spec.names) {
    Name& at = name(text);
    auto where = end == End::kBack ? at.queue.end() : at.queue.begin();
    // Several waiters may come back, in any order.
    while (where != at.queue.end() && (*where)->id < waiter.id) ++where;
    waiter.places.emplace_back(&at, at.queue.insert(where, &waiter));
    if (at.ranks) at.ranks->insert(waiter.id);
  }
}

void LockTable::dequeue(Waiter& waiter) {
  for (const auto& [name, place] : waiter.places) {
    name->queue.erase(place);
    if (name->ranks) name->ranks->erase(waiter.id);
    if (name->queue.empty()) name->ranks.reset();
  }
  waiter.places.clear();
}

std::size_t LockTable::position(const Waiter& waiter) {
  const auto& [name, place] = waiter.places.front();
  if (!name->ranks) {
    const auto ahead = std::distance(name->queue.cbegin(), std::list<Waiter*>::const_iterator(place));
    if (name->queue.size() <= kLongQueue) return static_cast<std::size_t>(ahead) + 1;
    name->ranks = std::make_shared<Ranks>();
    for (const Waiter* queued : name->queue) name->ranks->insert(queued->id);
  }
  return name->ranks->order_of_key(waiter.id) + 1;
}

void LockTable::tidy(Name& name) {
  if (name.touched || !name.holds.empty() || !name.queue.empty() || name.delayed()) return;
  names_.erase(names_.find(name.text));
}

void LockTable::tidy(Owner& owner) {
  if (!owner.holds.empty() || !owner.acquires.empty() || owner.sessions > 0) return;
  owners_.erase(owners_.find(owner.text));
}

void LockTable::check_kind(const LockSpec& spec, const Owner* owner) const {
  const bool semaphore = spec.mode == Mode::kPermits;
  for (const std::string& text : spec.names) {
    const Name* name = find_name(text);
    const LockSpec* kind = name == nullptr ? nullptr : name->kind();
    if (kind == nullptr) continue;
    if ((kind->mode == Mode::kPermits) != semaphore)
      throw core::Failure(core::kKindMismatch, quoted(text) + " is a " + (semaphore ? "lock" : "semaphore"));
    if (semaphore && kind->limit != spec.limit)
      throw core::Failure(core::kLimitMismatch,
                          quoted(text) + " has a limit of " + std::to_string(kind->limit) + ", not " +
                              std::to_string(spec.limit),
                          core::Json().add("limit", kind->limit));
    if (owner != nullptr && !semaphore && lock(*owner, *name) != nullptr)
      throw core::Failure(core::kNotReentrant,
                          quoted(text) + " is held by its owner in another set of names");
  }
}

std::size_t LockTable::unknown(const std::vector<std::string>& names) const {
  return static_cast<std::size_t>(std::count_if(
      names.begin(), names.end(), [this](const std::string& text) { return find_name(text) == nullptr; }));
}

bool LockTable::admits(const LockSpec& spec) const {
  const Owner* owner = spec.mode == Mode::kShared ? find_owner(spec.owner) : nullptr;
  return std::all_of(spec.names.begin(), spec.names.end(), [&](const std::string& text) {
    const Name* name = find_name(text);
    if (name == nullptr) return true;
    // Another acquire of the same reader waits for the first one's grant, and enters it.
    if (owner != nullptr &&
        find_hold(*owner, *name, [&](const Hold& hold) { return is_lock(hold) && is_of(hold, *name); }))
      return false;
    return !name->elsewhere && compatible(*name, spec) &&
           (!name->delayed() || name->delayed_for == spec.owner);
  });
}

bool LockTable::first_in_line(const LockSpec& spec, const Waiter* queued) const {
  return std::all_of(spec.names.begin(), spec.names.end(), [&](const std::string& text) {
    const Name* name = find_name(text);
    return name == nullptr || name->queue.empty() || name->queue.front() == queued;
  });
}

const Hold* LockTable::lock(const Owner& owner, const Name& name) const {
  return find_hold(owner, name,
                   [&](const Hold& hold) { return is_held(hold) && is_lock(hold) && is_of(hold, name); });
}

const Hold* LockTable::held(const Owner& owner, const Name& name) const {
  return find_hold(owner, name, [&](const Hold& hold) { return hold.token != 0 && is_of(hold, name); });
}

Hold* LockTable::granted(const Owner& owner, const LockSpec& spec) const {
  const Name* name = find_name(spec.names.front());
  if (name == nullptr || spec.request_id.empty()) return nullptr;
  return find_hold(owner, *name, [&](const Hold& hold) {
    return hold.token != 0 && hold.spec.record(Record::Kind::kAcquire, spec.request_id) != nullptr &&
           hold.spec.names == spec.names;
  });
}

Waiter* LockTable::begun(const Owner& owner, const LockSpec& spec) const {
  if (spec.request_id.empty() || owner.acquires.empty()) return nullptr;
  const auto [first, last] = begun_.equal_range(request_key(spec));
  const auto found = std::find_if(
      first, last, [&](const auto& entry) { return entry.second->request.spec.names == spec.names; });
  return found == last ? nullptr : found->second;
}

Hold* LockTable::entered(const Owner& owner, const LockSpec& spec) const {
  const Name* name = find_name(spec.names.front());
  if (name == nullptr || spec.mode == Mode::kPermits) return nullptr;
  return find_hold(owner, *name, [&](const Hold& hold) {
    return is_held(hold) && is_lock(hold) && hold.spec.names == spec.names;
  });
}

}  // namespace zerosuite::lock
