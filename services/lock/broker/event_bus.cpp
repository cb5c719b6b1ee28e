#include "lock/broker/event_bus.hpp"

#include <algorithm>
#include <iterator>

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

EventBus::Id EventBus::join_owner(const std::string& owner, Subscriber subscriber) {
  const Id id = join({std::move(subscriber), owner});
  entries_.at(id).of_owner = owners_.emplace(owner, id);
  return id;
}

EventBus::Id EventBus::join_prefix(const std::string& prefix, Subscriber subscriber) {
  const Id id = join({std::move(subscriber), prefix});
  entries_.at(id).watches = true;
  std::set<Id>& those = watchers_[prefix];
  if (those.empty()) ++lengths_[prefix.size()];
  those.insert(id);
  return id;
}

EventBus::Id EventBus::join(Entry entry) {
  seats_.check(entry.subscriber.client, 1);
  entry.seat = seats_.take(entry.subscriber.client, 1);
  entries_.emplace(++last_, std::move(entry));
  return last_;
}

void EventBus::leave(Id id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  if (entry.watches) {
    const auto those = watchers_.find(entry.key);
    those->second.erase(id);
    if (those->second.empty()) {
      watchers_.erase(those);
      const auto length = lengths_.find(entry.key.size());
      if (--length->second == 0) lengths_.erase(length);
    }
  } else {
    owners_.erase(entry.of_owner);
  }
  entries_.erase(found);
}

// One look for each length of a prefix that is watched, however many watch.
void EventBus::add_watchers(std::string_view name, std::vector<Id>& those) const {
  for (const auto& [length, count] : lengths_) {
    if (length > name.size()) break;
    const auto found = watchers_.find(name.substr(0, length));
    if (found != watchers_.end()) those.insert(those.end(), found->second.begin(), found->second.end());
  }
}

// The ids are copied: a listener may leave while it is being told.
void EventBus::tell(const Event& event) {
  if (entries_.empty()) return;
  std::vector<Id> those;
  if (for_sessions(event.kind)) {
    const auto [first, last] = owners_.equal_range(event.owner);
    std::transform(first, last, std::back_inserter(those), [](const auto& entry) { return entry.second; });
  }
  if (for_watchers(event.kind)) add_watchers(event.name, those);
  if (those.empty()) return;
  const auto context = std::make_shared<const Event>(event);
  for (const Id id : those) tell(id, context);
}

void EventBus::tell(Id id, const Event& event) { tell(id, std::make_shared<const Event>(event)); }

void EventBus::tell(Id id, const SharedEvent& event) {
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

bool EventBus::offer(Id id, const SharedEvent& event) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return true;
  const auto tell = found->second.subscriber.tell;  // a copy: it may leave while it is being told
  return tell(event);
}

void EventBus::miss(Id id) {
  if (const auto found = entries_.find(id); found != entries_.end()) ++found->second.missed;
}

void EventBus::drain(Stay stay) {
  std::vector<std::pair<Id, std::function<void()>>> all;
  for (const auto& [id, entry] : entries_) all.emplace_back(id, entry.subscriber.end);
  for (const auto& [id, end] : all) {
    tell(id, {.kind = Event::Kind::kDrain});
    if (stay == Stay::kLeaves && entries_.contains(id)) end();
  }
}

}  // namespace zerosuite::lock
