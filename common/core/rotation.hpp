// A queue that serves clients round-robin.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <list>
#include <optional>
#include <unordered_map>
#include <utility>

#include "core/keyed_hash.hpp"

namespace zerosuite::core {

/// Takes each client's oldest item in turn: a new client's item waits for at most one item of each other
/// client, however many those have queued. One client's items keep their order. For items of about equal
/// cost, or whose cost is not known in advance. For one thread.
template <class Client, class T>
class Rotation {
 public:
  /// The position of a waiting item; valid while it waits.
  using Place = typename std::list<T>::iterator;

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  /// Number of the client's waiting items.
  template <class Key>
  std::size_t waiting(const Key& client) const {
    const auto entry = clients_.find(client);
    return entry == clients_.end() ? 0 : entry->second.things.size();
  }

  template <class Key>
  Place push(const Key& client, T thing) {
    auto entry = clients_.find(client);
    if (entry == clients_.end()) {
      entry = clients_.try_emplace(Client(client)).first;
      entry->second.turn = turns_.insert(turns_.end(), &*entry);
    }
    entry->second.things.push_back(std::move(thing));
    ++size_;
    return std::prev(entry->second.things.end());
  }
  /// Takes the oldest item of the client whose turn it is; the queue must not be empty.
  T pop() {
    return *pop_if([](const Client&) { return true; });
  }
  /// The same for the first client in turn for which `may(client)` is true; nullopt when there is none.
  template <class May>
  std::optional<T> pop_if(May may) {
    const auto turn =
        std::find_if(turns_.begin(), turns_.end(), [&may](const Entry* entry) { return may(entry->first); });
    if (turn == turns_.end()) return std::nullopt;
    Entry& entry = **turn;
    turns_.splice(turns_.end(), turns_, turn);
    return take(entry, entry.second.things.begin());
  }
  /// Takes one of the client's items out of turn.
  template <class Key>
  T take(const Key& client, Place place) {
    return take(*clients_.find(client), place);
  }

 private:
  struct Share;
  using Entry = std::pair<const Client, Share>;
  using Turns = std::list<Entry*>;
  struct Share {
    std::list<T> things;
    typename Turns::iterator turn;
  };

  T take(Entry& entry, Place place) {
    T thing = std::move(*place);
    entry.second.things.erase(place);
    --size_;
    if (entry.second.things.empty()) {
      turns_.erase(entry.second.turn);
      clients_.erase(clients_.find(entry.first));
    }
    return thing;
  }

  std::unordered_map<Client, Share, KeyedHash, std::equal_to<>> clients_;
  Turns turns_;
  std::size_t size_ = 0;
};

}  // namespace zerosuite::core
