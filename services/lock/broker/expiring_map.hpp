// Recent requests and their outcomes, so that a request whose reply was lost can be repeated.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include "core/clock.hpp"
#include "core/keyed_hash.hpp"
#include "lock/broker/request.hpp"

namespace zerosuite::lock {

/// Approximate heap bytes of a key or value beyond its own size, the same for every copy.
inline std::size_t footprint(const std::string& text) { return text.size(); }
inline std::size_t footprint(std::integral auto) { return 0; }
inline std::size_t footprint(const Granted& granted) {
  std::size_t bytes = granted.owner.size() + granted.ticket.size();
  for (const std::string& name : granted.names) bytes += sizeof(std::string) + name.size();
  return bytes;
}

/// The maximum size of an ExpiringMap: whichever limit is reached first.
struct Capacity {
  std::size_t entries = 0;
  std::size_t bytes = 0;
};
inline Capacity capacity(const Limits& limits) { return {limits.max_memory, limits.max_memory_bytes}; }

/// Keeps the latest entries, each for a limited time. Loop thread only.
template <class Key, class Value>
class ExpiringMap {
 public:
  ExpiringMap(core::milliseconds keep, const Capacity& most) : keep_(keep), most_(most) {}

  /// Null if the key is unknown or forgotten.
  Value* find(const Key& key) {
    const auto found = entries_.find(key);
    return found == entries_.end() ? nullptr : &found->second.value;
  }
  /// Sets the key's value, and forgets some of the entries that are due.
  void put(const Key& key, Value value, core::TimePoint now) {
    const auto [entry, added] = entries_.try_emplace(key);
    if (!added) bytes_ -= cost(key, entry->second.value);
    entry->second = {std::move(value), ++last_};
    bytes_ += cost(key, entry->second.value);
    order_.push_back({key, last_, now + keep_});
    forget(now);
  }
  void erase(const Key& key) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return;
    bytes_ -= cost(found->first, found->second.value);
    entries_.erase(found);
  }
  /// Forgets entries that are due; false if more are due than one call should forget.
  bool forget(core::TimePoint now) {
    for (std::size_t i = 0; !order_.empty() && (order_.front().until <= now || full()); ++i) {
      if (i == kAtOnce) return false;
      if (is_current(order_.front())) erase(order_.front().key);
      order_.pop_front();
    }
    // Entries that are put repeatedly must not fill `order_`; the cost of a pass is amortized over the puts.
    if (order_.size() > 2 * entries_.size() + kSpare)
      std::erase_if(order_, [this](const Due& due) { return !is_current(due); });
    return true;
  }
  std::size_t size() const { return entries_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  static constexpr std::size_t kSpare = 64;
  static constexpr std::size_t kAtOnce = 64;
  // Integers come from the broker; text may be chosen by an attacker.
  using Hash = std::conditional_t<std::integral<Key>, std::hash<Key>, core::KeyedHash>;

  struct Entry {
    Value value;
    std::uint64_t serial = 0;
  };
  struct Due {
    Key key;
    std::uint64_t serial;
    core::TimePoint until;
  };

  // The key is stored twice; a map node has two words of overhead, and a bucket.
  static std::size_t cost(const Key& key, const Value& value) {
    constexpr std::size_t kNode = sizeof(Key) + sizeof(Entry) + sizeof(Due) + 4 * sizeof(void*);
    return kNode + 2 * footprint(key) + footprint(value);
  }
  bool full() const { return entries_.size() > most_.entries || bytes_ > most_.bytes; }
  // False if the entry was put again later, or erased.
  bool is_current(const Due& due) const {
    const auto found = entries_.find(due.key);
    return found != entries_.end() && found->second.serial == due.serial;
  }

  const core::milliseconds keep_;
  const Capacity most_;
  std::unordered_map<Key, Entry, Hash> entries_;
  std::deque<Due> order_;
  std::uint64_t last_ = 0;
  std::size_t bytes_ = 0;
};

/// How a former hold ended.
class Ended {
 public:
  enum class How : std::uint8_t { kReleased, kExpired, kRevoked, kSessionLost };

  Ended() = default;
  Ended(How its_how, const LockSpec& spec, core::milliseconds its_held)
      : how(its_how),
        held(its_held),
        owner_(core::KeyedHash()(spec.owner)),
        name_(spec.names.size() == 1 ? hash(spec.names.front()) : 0) {}

  /// Whether it was that owner's hold of that name. Compares hashes; that of the owner is keyed, so
  /// collisions cannot be constructed. For a set any name matches.
  bool is(const std::string& owner, const std::string& name) const {
    return owner_ == core::KeyedHash()(owner) && (name_ == 0 || name_ == hash(name));
  }

  How how = How::kReleased;
  core::milliseconds held{0};

 private:
  static std::size_t hash(const std::string& name) { return std::hash<std::string>()(name); }

  std::size_t owner_ = 0;
  std::size_t name_ = 0;
};

inline std::size_t footprint(const Ended&) { return 0; }

}  // namespace zerosuite::lock
