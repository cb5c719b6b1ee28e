// Objects by name in bounded memory: when it is full, a new one evicts the least recently used idle one.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/completion_latch.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "core/keyed_hash.hpp"
#include "core/random.hpp"

namespace zerosuite::id {

/// T has idle() and stop(core::SharedLatch). Belongs to the loop's thread.
template <class T>
class LruMap {
 public:
  explicit LruMap(std::size_t most) : most_(most) {}

  /// Null if there is none.
  T* find(std::string_view name) const {
    const auto known = index_.find(name);
    return known == index_.end() ? nullptr : known->second->thing.get();
  }
  /// Returns the object of that name, created by `make` if there is none. Throws core::Failure Overloaded if
  /// no idle one can be evicted, and LeaseLost in a forked child: the reserved values belong to its parent.
  template <class Make>
  T& use(const std::string& name, Make make) {
    if (mark_.forked())
      throw core::Failure(core::kLeaseLost, "this is a child process; its parent has what was reserved");
    const auto known = index_.find(name);
    if (known != index_.end()) {
      entries_.splice(entries_.begin(), entries_, known->second);
      return *known->second->thing;
    }
    if (entries_.size() >= most_) make_room();
    entries_.push_front({name, make()});
    index_.emplace(entries_.front().name, entries_.begin());
    return *entries_.front().thing;
  }
  void erase(std::string_view name) {
    const auto known = index_.find(name);
    if (known != index_.end()) erase(known->second);
  }
  template <class Visit>
  void for_each(Visit visit) const {
    for (const Entry& entry : entries_) visit(*entry.thing);
  }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string name;
    std::shared_ptr<T> thing;
  };
  using Entries = std::list<Entry>;

  void make_room() {
    constexpr int kTries = 16;  // a limit, so that refusals stay cheap
    auto oldest = entries_.end();
    for (int i = 0; i < kTries && oldest != entries_.begin(); ++i) {
      --oldest;
      if (!oldest->thing->idle()) continue;
      oldest->thing->stop(nullptr);
      return erase(oldest);
    }
    throw core::Failure(core::kOverloaded, std::to_string(entries_.size()) + " names are in use already",
                        core::Json().add("max", most_));
  }

  void erase(typename Entries::iterator entry) {
    index_.erase(entry->name);
    const auto thing = std::move(entry->thing);  // destroyed last: it may run callers' callbacks
    entries_.erase(entry);
  }

  const std::size_t most_;
  core::ForkMark mark_;
  Entries entries_;  // most recently used first
  std::unordered_map<std::string_view, typename Entries::iterator, core::KeyedHash> index_;
};

}  // namespace zerosuite::id
