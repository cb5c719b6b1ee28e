#include "lock/broker/table.hpp"

#include <algorithm>
#include <ext/pb_ds/assoc_container.hpp>
#include <ext/pb_ds/tree_policy.hpp>
#include <iterator>

namespace zerosuite::lock {

/// The ids of a queue, which are in order, each with its rank (libstdc++'s policy-based tree). It costs a
/// line only where somebody asks again and again how far on he is.
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

bool compatible(const Name& name, const Claim& claim) {
  if (name.holds.empty()) return true;
  const Claim& held = name.holds.front()->claim;
  if (claim.mode != held.mode || claim.mode == Mode::kExclusive) return false;
  return claim.mode == Mode::kShared || claim.permits <= claim.limit - name.permits;
}

bool is_of(const Hold& hold, const Name& name) {
  return std::any_of(hold.places.begin(), hold.places.end(),
                     [&](const auto& place) { return place.first == &name; });
}

// One of the owner's holds of that name that will do. A name may have many readers, and an owner many locks.
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

bool is_lock(const Hold& hold) { return hold.claim.mode != Mode::kPermits; }

// Granted, and not on its way to be given back.
bool is_held(const Hold& hold) { return hold.token != 0 && hold.claim.count > 0; }

}  // namespace

const Claim* Name::kind() const {
  if (!holds.empty()) return &holds.front()->claim;
  return queue.empty() ? nullptr : &queue.front()->request.claim;
}

Name* Table::find_name(std::string_view text) { return find_in(names_, text); }
const Name* Table::find_name(std::string_view text) const { return find_in(names_, text); }
Owner* Table::find_owner(std::string_view text) { return find_in(owners_, text); }
const Owner* Table::find_owner(std::string_view text) const { return find_in(owners_, text); }
Name& Table::name(const std::string& text) { return find_or_add(names_, text); }
Owner& Table::owner(const std::string& text) { return find_or_add(owners_, text); }

void Table::add(Hold& hold) {
  for (const std::string& text : hold.claim.names) {
    Name& at = name(text);
    hold.places.emplace_back(&at, at.holds.insert(at.holds.end(), &hold));
    index(at, hold);
    if (hold.claim.mode == Mode::kPermits) at.permits += hold.claim.permits;
  }
  const Token key = hold.token != 0 ? hold.token : ++unnamed_;
  hold.of_owner = hold.owner->holds.emplace(key, &hold).first;
  if (hold.session.empty()) return;
  hold.bound = &bound_[hold.session];
  hold.of_session = hold.bound->holds.insert(hold.bound->holds.end(), &hold);
}

void Table::named(Hold& hold) {
  auto entry = hold.owner->holds.extract(hold.of_owner);
  entry.key() = hold.token;
  hold.of_owner = hold.owner->holds.insert(std::move(entry)).position;
}

void Table::remove(Hold& hold) {
  for (const auto& [name, place] : hold.places) {
    name->holds.erase(place);
    if (name->by_owner) name->by_owner->erase({hold.owner, &hold});
    if (name->holds.empty()) name->by_owner.reset();
    if (hold.claim.mode == Mode::kPermits) name->permits -= hold.claim.permits;
  }
  hold.places.clear();
  hold.owner->holds.erase(hold.of_owner);
  unbind(hold);
}

const Bound* Table::bound(const std::string& session) const {
  const auto found = bound_.find(session);
  return found == bound_.end() ? nullptr : &found->second;
}

void Table::unbind(Hold& hold) {
  Bound* bound = std::exchange(hold.bound, nullptr);
  if (bound == nullptr) return;
  bound->holds.erase(hold.of_session);
  if (bound->holds.empty() && bound->attempts.empty()) bound_.erase(hold.session);
}

void Table::unbind(Attempt& attempt) {
  Bound* bound = std::exchange(attempt.bound, nullptr);
  if (bound == nullptr) return;
  bound->attempts.erase(attempt.of_session);
  if (bound->holds.empty() && bound->attempts.empty()) bound_.erase(attempt.request.session);
}

void Table::add(Attempt& attempt) {
  attempt.of_owner = attempt.owner->attempts.insert(attempt.owner->attempts.end(), &attempt);
  if (attempt.is_ticket()) ++attempt.owner->tickets;
  const Claim& claim = attempt.request.claim;
  if (!claim.request_id.empty()) begun_.emplace(request_key(claim), &attempt);
  if (attempt.request.session.empty()) return;
  attempt.bound = &bound_[attempt.request.session];
  attempt.of_session = attempt.bound->attempts.insert(attempt.bound->attempts.end(), &attempt);
}

void Table::remove(Attempt& attempt) {
  dequeue(attempt);
  attempt.owner->attempts.erase(attempt.of_owner);
  if (attempt.is_ticket()) --attempt.owner->tickets;
  const Claim& claim = attempt.request.claim;
  if (!claim.request_id.empty()) {
    auto [at, last] = begun_.equal_range(request_key(claim));
    while (at != last && at->second != &attempt) ++at;
    if (at != last) begun_.erase(at);
  }
  unbind(attempt);
}

void Table::enqueue(Attempt& attempt, End end) {
  for (const std::string& text : attempt.request.claim.names) {
    Name& at = name(text);
    auto where = end == End::kBack ? at.queue.end() : at.queue.begin();
    // Several may come back, in any order.
    while (where != at.queue.end() && (*where)->id < attempt.id) ++where;
    attempt.places.emplace_back(&at, at.queue.insert(where, &attempt));
    if (at.ranks) at.ranks->insert(attempt.id);
  }
}

void Table::dequeue(Attempt& attempt) {
  for (const auto& [name, place] : attempt.places) {
    name->queue.erase(place);
    if (name->ranks) name->ranks->erase(attempt.id);
    if (name->queue.empty()) name->ranks.reset();
  }
  attempt.places.clear();
}

std::size_t Table::position(const Attempt& attempt) {
  const auto& [name, place] = attempt.places.front();
  if (!name->ranks) {
    const auto ahead = std::distance(name->queue.cbegin(), std::list<Attempt*>::const_iterator(place));
    if (name->queue.size() <= kLongQueue) return static_cast<std::size_t>(ahead) + 1;
    name->ranks = std::make_shared<Ranks>();
    for (const Attempt* queued : name->queue) name->ranks->insert(queued->id);
  }
  return name->ranks->order_of_key(attempt.id) + 1;
}

void Table::tidy(Name& name) {
  if (name.touched || !name.holds.empty() || !name.queue.empty() || name.delayed()) return;
  names_.erase(names_.find(name.text));
}

void Table::tidy(Owner& owner) {
  if (!owner.holds.empty() || !owner.attempts.empty() || owner.sessions > 0) return;
  owners_.erase(owners_.find(owner.text));
}

bool Table::admits(const Claim& claim) const {
  const Owner* owner = claim.mode == Mode::kShared ? find_owner(claim.owner) : nullptr;
  return std::all_of(claim.names.begin(), claim.names.end(), [&](const std::string& text) {
    const Name* name = find_name(text);
    if (name == nullptr) return true;
    // A second acquire of a reader waits for the first one's grant, to enter it.
    if (owner != nullptr &&
        find_hold(*owner, *name, [&](const Hold& hold) { return is_lock(hold) && is_of(hold, *name); }))
      return false;
    return !name->elsewhere && compatible(*name, claim) &&
           (!name->delayed() || name->delayed_for == claim.owner);
  });
}

bool Table::first_in_line(const Claim& claim, const Attempt* queued) const {
  return std::all_of(claim.names.begin(), claim.names.end(), [&](const std::string& text) {
    const Name* name = find_name(text);
    return name == nullptr || name->queue.empty() || name->queue.front() == queued;
  });
}

const Hold* Table::lock(const Owner& owner, const Name& name) const {
  return find_hold(owner, name,
                   [&](const Hold& hold) { return is_held(hold) && is_lock(hold) && is_of(hold, name); });
}

const Hold* Table::held(const Owner& owner, const Name& name) const {
  return find_hold(owner, name, [&](const Hold& hold) { return hold.token != 0 && is_of(hold, name); });
}

Hold* Table::granted(const Owner& owner, const Claim& claim) const {
  const Name* name = find_name(claim.names.front());
  if (name == nullptr || claim.request_id.empty()) return nullptr;
  return find_hold(owner, *name, [&](const Hold& hold) {
    return hold.token != 0 && hold.claim.record(Record::Kind::kAcquire, claim.request_id) != nullptr &&
           hold.claim.names == claim.names;
  });
}

Attempt* Table::begun(const Owner& owner, const Claim& claim) const {
  if (claim.request_id.empty() || owner.attempts.empty()) return nullptr;
  const auto [first, last] = begun_.equal_range(request_key(claim));
  const auto found = std::find_if(
      first, last, [&](const auto& entry) { return entry.second->request.claim.names == claim.names; });
  return found == last ? nullptr : found->second;
}

Hold* Table::entered(const Owner& owner, const Claim& claim) const {
  const Name* name = find_name(claim.names.front());
  if (name == nullptr || claim.mode == Mode::kPermits) return nullptr;
  return find_hold(owner, *name, [&](const Hold& hold) {
    return is_held(hold) && is_lock(hold) && hold.claim.names == claim.names;
  });
}

}  // namespace zerosuite::lock
