#include "rpc/server/recalls.hpp"

#include <utility>

#include "rpc/transport/receive_loop.hpp"

namespace zerosuite::rpc {
namespace {

// A bucket has one entry on average; only a client that keeps reusing one id makes it longer.
constexpr int kLongestChain = 64;

}  // namespace

void Recalls::keep(const wire::Envelope& peer, std::string_view id, std::function<void()> undo,
                   core::TimePoint now) {
  if (buckets_.empty()) buckets_.resize(kMost);
  forget(now);
  const std::uint64_t name = name_of_call(peer, id);
  const std::uint64_t number = first_ + entries_.size();
  entries_.push_back({name, std::exchange(latest(name), number), now + kKeptFor, std::move(undo)});
  ++size_;
}

bool Recalls::recall(const wire::Envelope& peer, std::string_view id, core::TimePoint now) {
  if (size_ == 0) return false;
  Entry* const entry = find(name_of_call(peer, id));
  if (entry == nullptr || now >= entry->until) return false;
  --size_;
  const auto undo = std::exchange(entry->undo, nullptr);
  undo();  // last: it may call keep()
  return true;
}

// Finds the latest entry, in case the client has reused an id. Null when its undo is no longer kept.
Recalls::Entry* Recalls::find(std::uint64_t name) {
  std::uint64_t at = latest(name);
  for (int steps = 0; at >= first_ && steps < kLongestChain; ++steps) {
    Entry& entry = entries_[at - first_];
    if (entry.name == name) return entry.undo ? &entry : nullptr;
    at = entry.before;
  }
  return nullptr;
}

std::uint64_t& Recalls::latest(std::uint64_t name) {
  return buckets_[(name >> 1) % kMost];  // the lowest bit is always set
}

void Recalls::forget(core::TimePoint now) {
  while (!entries_.empty() && (entries_.front().until <= now || entries_.size() >= kMost)) {
    if (entries_.front().undo) --size_;
    entries_.pop_front();
    ++first_;
  }
}

}  // namespace zerosuite::rpc
