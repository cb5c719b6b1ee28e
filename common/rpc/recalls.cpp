#include "rpc/recalls.hpp"

#include <utility>

#include "core/keyed_hash.hpp"

namespace zerosuite::rpc {

// The link counts too, since clients of two proxies may have the same identities.
Recalls::Name Recalls::name_of(const wire::Envelope& peer, std::string_view id) {
  constexpr Name kOdd = 0x9e3779b97f4a7c15;  // so that peer and id cannot change places
  const core::KeyedHash hash;
  return kOdd * (hash(peer.bytes()) + peer.link()) + hash(id);
}

void Recalls::keep(const wire::Envelope& peer, std::string_view id, std::function<void()> undo,
                   core::TimePoint now) {
  forget(now);
  const Name name = name_of(peer, id);
  const auto [place, fresh] = places_.try_emplace(name);
  if (!fresh) entries_[place->second - first_].undo = nullptr;
  place->second = first_ + entries_.size();
  entries_.push_back({name, now + kKeptFor, std::move(undo)});
}

bool Recalls::recall(const wire::Envelope& peer, std::string_view id, core::TimePoint now) {
  if (places_.empty()) return false;
  const auto place = places_.find(name_of(peer, id));
  if (place == places_.end()) return false;
  Entry& entry = entries_[place->second - first_];
  if (now >= entry.until) return false;
  const auto undo = std::exchange(entry.undo, nullptr);
  places_.erase(place);
  undo();  // last: it may keep another
  return true;
}

void Recalls::forget(core::TimePoint now) {
  while (!entries_.empty() && (entries_.front().until <= now || entries_.size() >= kMost)) {
    if (entries_.front().undo) places_.erase(entries_.front().name);
    entries_.pop_front();
    ++first_;
  }
}

}  // namespace zerosuite::rpc
