#include "lock/broker/event_bus.hpp"

#include <algorithm>

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

void EventBus::tell(const Event& event) {
  if (entries_.empty()) return;
  SharedEvent shared;  // created for the first subscriber
  const auto tell_one = [&](Id id) {
    if (!shared) shared = std::make_shared<const Event>(event);
    tell(entries_.at(id), shared);
  };
  if (for_sessions(event.kind)) {
    const auto [first, last] = owners_.equal_range(event.owner);
    std::for_each(first, last, [&](const auto& entry) { tell_one(entry.second); });
  }
  if (!for_watchers(event.kind)) return;
  // One lookup per length of watched prefixes, regardless of the number of watchers.
  const std::string_view name = event.name;
  for (const auto& [length, count] : lengths_) {
    if (length > name.size()) break;
    const auto found = watchers_.find(name.substr(0, length));
    if (found != watchers_.end()) std::for_each(found->second.begin(), found->second.end(), tell_one);
  }
}

void EventBus::tell(Id id, const Event& event) {
  const auto found = entries_.find(id);
  if (found != entries_.end()) tell(found->second, std::make_shared<const Event>(event));
}

// An overflow event takes the place of the dropped events, before any later event.
void EventBus::tell(Entry& entry, const SharedEvent& event) {
  const auto offer = [&entry](const SharedEvent& one) { return entry.subscriber.tell(one); };
  const auto overflow = [&entry] {
    return std::make_shared<const Event>(Event{.kind = Event::Kind::kOverflow, .missed = entry.missed});
  };
  if (entry.missed > 0 && offer(overflow())) entry.missed = 0;
  if (entry.missed > 0 || !offer(event)) ++entry.missed;
}

void EventBus::drain(Stay stay) {
  const auto event = std::make_shared<const Event>(Event{.kind = Event::Kind::kDrain});
  for (auto& [id, entry] : entries_) {
    tell(entry, event);
    if (stay == Stay::kLeaves) entry.subscriber.end();
  }
}

}  // namespace zerosuite::lock
