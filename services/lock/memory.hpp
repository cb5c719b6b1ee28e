// What was asked and answered lately, so that a request whose answer was lost may be sent again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>
#include <utility>

#include "core/clock.hpp"
#include "lock/engine.hpp"

namespace zerosuite::lock {

/// The latest entries, each for a while. Loop thread only.
template <class Key, class Value>
class Memory {
 public:
  Memory(core::milliseconds keep, std::size_t most) : keep_(keep), most_(most) {}

  /// Null when it is not, or no longer, known.
  Value* find(const Key& key) {
    const auto found = entries_.find(key);
    return found == entries_.end() ? nullptr : &found->second.value;
  }
  /// Replaces what is known of the key, and forgets what is due.
  void put(const Key& key, Value value, core::TimePoint now) {
    const std::uint64_t serial = ++last_;
    entries_[key] = {std::move(value), serial};
    order_.push_back({key, serial, now + keep_});
    forget(now);
  }
  void erase(const Key& key) { entries_.erase(key); }
  void forget(core::TimePoint now) {
    while (!order_.empty() && (order_.front().until <= now || entries_.size() > most_)) {
      if (is_current(order_.front())) entries_.erase(order_.front().key);
      order_.pop_front();
    }
    // Entries put again and again must not fill it up either; each pass pays for as many puts.
    if (order_.size() > 2 * most_) std::erase_if(order_, [this](const Due& due) { return !is_current(due); });
  }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Value value;
    std::uint64_t serial = 0;
  };
  struct Due {
    Key key;
    std::uint64_t serial;
    core::TimePoint until;
  };

  // An entry put again since is due later.
  bool is_current(const Due& due) const {
    const auto found = entries_.find(due.key);
    return found != entries_.end() && found->second.serial == due.serial;
  }

  const core::milliseconds keep_;
  const std::size_t most_;
  std::unordered_map<Key, Entry> entries_;
  std::deque<Due> order_;
  std::uint64_t last_ = 0;
};

/// How a hold that is no more came to its end.
class Ended {
 public:
  enum class How : std::uint8_t { kReleased, kExpired, kRevoked, kSessionLost };

  Ended() = default;
  Ended(How its_how, const Claim& claim, core::milliseconds its_held)
      : how(its_how),
        held(its_held),
        owner_(hash(claim.owner)),
        name_(claim.names.size() == 1 ? hash(claim.names.front()) : 0) {}

  /// Whether it was that owner's hold of that name. By hashes, which are enough to tell him from somebody who
  /// guesses tokens; of a set any name will do.
  bool is(const std::string& owner, const std::string& name) const {
    return owner_ == hash(owner) && (name_ == 0 || name_ == hash(name));
  }

  How how = How::kReleased;
  core::milliseconds held{0};

 private:
  static std::size_t hash(const std::string& text) { return std::hash<std::string>()(text); }

  std::size_t owner_ = 0;
  std::size_t name_ = 0;
};

}  // namespace zerosuite::lock
