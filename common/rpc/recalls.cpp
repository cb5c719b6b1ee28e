#include "rpc/recalls.hpp"

#include <utility>

#include "rpc/frames.hpp"

namespace zerosuite::rpc {

void Recalls::keep(const wire::Envelope& peer, std::string_view id, std::function<void()> undo,
                   core::TimePoint now) {
  forget(now);
  const std::uint64_t name = name_of_call(peer, id);
  const auto [place, fresh] = places_.try_emplace(name);
  if (!fresh) entries_[place->second - first_].undo = nullptr;
  place->second = first_ + entries_.size();
  entries_.push_back({name, now + kKeptFor, std::move(undo)});
}

bool Recalls::recall(const wire::Envelope& peer, std::string_view id, core::TimePoint now) {
  if (places_.empty()) return false;
  const auto place = places_.find(name_of_call(peer, id));
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
