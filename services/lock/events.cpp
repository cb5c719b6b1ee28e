#include "lock/events.hpp"

#include <algorithm>
#include <iterator>
#include <vector>

namespace zerosuite::lock {
namespace {

bool for_sessions(Event::Kind kind) {
  return kind != Event::Kind::kReleased && kind != Event::Kind::kSuspect;
}
bool for_watchers(Event::Kind kind) { return kind != Event::Kind::kExpiring; }

}  // namespace

std::string_view word(Event::Kind kind) {
  switch (kind) {
    case Event::Kind::kOpen:
      return "open";
    case Event::Kind::kGranted:
      return "granted";
    case Event::Kind::kReleased:
      return "released";
    case Event::Kind::kExpiring:
      return "expiring";
    case Event::Kind::kLost:
      return "lost";
    case Event::Kind::kRevoked:
      return "revoked";
    case Event::Kind::kSuspect:
      return "suspect";
    case Event::Kind::kDrain:
      return "drain";
    case Event::Kind::kOverflow:
      return "overflow";
  }
  return {};
}

Audience::Id Audience::join_owner(const std::string& owner, Listener listener) {
  const Id id = join({std::move(listener), owner});
  owners_.emplace(owner, id);
  return id;
}

Audience::Id Audience::join_prefix(const std::string& prefix, Listener listener) {
  const Id id = join({std::move(listener), prefix});
  watchers_.insert(id);
  return id;
}

Audience::Id Audience::join(Entry entry) {
  if (entries_.size() >= most_)
    throw core::Failure(core::kOverloaded,
                        "as many sessions and watchers listen as may: " + std::to_string(most_));
  entries_.emplace(++last_, std::move(entry));
  return last_;
}

void Audience::leave(Id id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  const auto [first, last] = owners_.equal_range(found->second.key);
  const auto mine = std::find_if(first, last, [&](const auto& entry) { return entry.second == id; });
  if (mine != last) owners_.erase(mine);
  watchers_.erase(id);
  entries_.erase(found);
}

// The ids are copied: a listener may leave while it is being told.
void Audience::tell(const Event& event) {
  if (entries_.empty()) return;
  std::vector<Id> those;
  if (for_sessions(event.kind)) {
    const auto [first, last] = owners_.equal_range(event.owner);
    std::transform(first, last, std::back_inserter(those), [](const auto& entry) { return entry.second; });
  }
  if (for_watchers(event.kind)) {
    std::copy_if(watchers_.begin(), watchers_.end(), std::back_inserter(those),
                 [&](Id id) { return event.name.starts_with(entries_.at(id).key); });
  }
  if (those.empty()) return;
  const auto shared = std::make_shared<const Event>(event);
  for (const Id id : those) tell(id, shared);
}

void Audience::tell(Id id, const Event& event) { tell(id, std::make_shared<const Event>(event)); }

void Audience::tell(Id id, const SharedEvent& event) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  // What was left out is said in its place, before what comes after it.
  if (found->second.missed > 0) {
    const Event overflow{.kind = Event::Kind::kOverflow, .missed = found->second.missed};
    if (!offer(id, std::make_shared<const Event>(overflow))) return miss(id);
    if (const auto still = entries_.find(id); still != entries_.end()) still->second.missed = 0;
  }
  if (!offer(id, event)) miss(id);
}

bool Audience::offer(Id id, const SharedEvent& event) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return true;
  const auto tell = found->second.listener.tell;  // a copy: it may leave while it is being told
  return tell(event);
}

void Audience::miss(Id id) {
  if (const auto found = entries_.find(id); found != entries_.end()) ++found->second.missed;
}

void Audience::drain(Stay stay) {
  std::vector<std::pair<Id, std::function<void()>>> all;
  for (const auto& [id, entry] : entries_) all.emplace_back(id, entry.listener.end);
  for (const auto& [id, end] : all) {
    tell(id, {.kind = Event::Kind::kDrain});
    if (stay == Stay::kLeaves && entries_.contains(id)) end();
  }
}

}  // namespace zerosuite::lock
