// Things that wait, by whose they are, and whose turn it is.
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

/// Each client's oldest thing in turn: whoever comes with one waits for one of each of the others at most,
/// however many they have brought. One client's things keep their order. For things that are worth about the
/// same, or cannot be told apart before they are done. Belongs to one thread.
template <class Client, class T>
class Rotation {
 public:
  /// Where a thing waits, as long as it does.
  using Place = typename std::list<T>::iterator;

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  /// How many of the client wait.
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
  /// Takes the oldest of the client whose turn it is; there must be one.
  T pop() {
    return *pop_if([](const Client&) { return true; });
  }
  /// The same of the first client in turn that `may` have one now; nullopt when none may.
  template <class May>
  std::optional<T> pop_if(May may) {
    const auto turn =
        std::find_if(turns_.begin(), turns_.end(), [&may](const Entry* entry) { return may(entry->first); });
    if (turn == turns_.end()) return std::nullopt;
    Entry& entry = **turn;
    turns_.splice(turns_.end(), turns_, turn);
    return take(entry, entry.second.things.begin());
  }
  /// Takes a thing of the client out of its turn.
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
