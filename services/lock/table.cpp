#include "lock/table.hpp"

#include <algorithm>

namespace zerosuite::lock {
namespace {

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

// The first of the owner's holds of that name that will do. Either list may be long: a name may have many
// readers, an owner many locks.
template <class Predicate>
Hold* find_hold(const Owner& owner, const Name& name, Predicate will_do) {
  const auto& fewer = name.holds.size() < owner.holds.size() ? name.holds : owner.holds;
  const auto found = std::find_if(fewer.begin(), fewer.end(),
                                  [&](const Hold* hold) { return hold->owner == &owner && will_do(*hold); });
  return found == fewer.end() ? nullptr : *found;
}

bool is_lock(const Hold& hold) { return hold.claim.mode != Mode::kPermits; }

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
    if (hold.claim.mode == Mode::kPermits) at.permits += hold.claim.permits;
  }
  hold.of_owner = hold.owner->holds.insert(hold.owner->holds.end(), &hold);
}

void Table::remove(Hold& hold) {
  for (const auto& [name, place] : hold.places) {
    name->holds.erase(place);
    if (hold.claim.mode == Mode::kPermits) name->permits -= hold.claim.permits;
  }
  hold.places.clear();
  hold.owner->holds.erase(hold.of_owner);
}

void Table::add(Attempt& attempt) {
  attempt.of_owner = attempt.owner->attempts.insert(attempt.owner->attempts.end(), &attempt);
}

void Table::remove(Attempt& attempt) {
  dequeue(attempt);
  attempt.owner->attempts.erase(attempt.of_owner);
}

void Table::enqueue(Attempt& attempt, End end) {
  for (const std::string& text : attempt.request.claim.names) {
    Name& at = name(text);
    auto where = end == End::kBack ? at.queue.end() : at.queue.begin();
    // Several may come back, in any order.
    while (where != at.queue.end() && (*where)->id < attempt.id) ++where;
    attempt.places.emplace_back(&at, at.queue.insert(where, &attempt));
  }
}

void Table::dequeue(Attempt& attempt) {
  for (const auto& [name, place] : attempt.places) name->queue.erase(place);
  attempt.places.clear();
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

bool Table::holds(const Owner& owner, const Name& name) const {
  return find_hold(owner, name, [&](const Hold& hold) {
           return hold.token != 0 && is_lock(hold) && is_of(hold, name);
         }) != nullptr;
}

Hold* Table::granted(const Owner& owner, const Claim& claim) const {
  const Name* name = find_name(claim.names.front());
  if (name == nullptr || claim.request_id.empty()) return nullptr;
  return find_hold(owner, *name, [&](const Hold& hold) {
    return hold.token != 0 && hold.claim.request_id == claim.request_id && hold.claim.names == claim.names;
  });
}

Attempt* Table::begun(const Owner& owner, const Claim& claim) const {
  if (claim.request_id.empty()) return nullptr;
  const auto found = std::find_if(owner.attempts.begin(), owner.attempts.end(), [&](const Attempt* attempt) {
    return attempt->request.claim.request_id == claim.request_id &&
           attempt->request.claim.names == claim.names;
  });
  return found == owner.attempts.end() ? nullptr : *found;
}

Hold* Table::entered(const Owner& owner, const Claim& claim) const {
  const Name* name = find_name(claim.names.front());
  if (name == nullptr || claim.mode == Mode::kPermits) return nullptr;
  return find_hold(owner, *name, [&](const Hold& hold) {
    return hold.token != 0 && is_lock(hold) && hold.claim.names == claim.names;
  });
}

}  // namespace zerosuite::lock
