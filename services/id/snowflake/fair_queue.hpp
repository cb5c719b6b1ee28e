// A fair queue of requests for a resource that becomes available in parts.
//
// By weighted fair queueing (Demers, Keshav and Shenker, "Analysis and Simulation of a Fair Queueing
// Algorithm", SIGCOMM 1989): the next request is the one that would finish first if all clients were served
// simultaneously, at the same rate. So a small request does not wait for a large one of another client, and
// no client gets more than its share while others wait.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <list>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "core/keyed_hash.hpp"
#include "core/quota.hpp"

namespace zerosuite::id {

/// A client's key: equal for all its calls, also through proxies. 0 = unspecified.
using Client = std::uint64_t;

/// Belongs to one thread.
template <class T>
class FairQueue {
 public:
  /// At most `most` requests wait, shared among the clients by core::Quota.
  explicit FairQueue(std::size_t most) : quota_{most, most} {}

  /// Whether one more of this client may wait.
  bool has_room(Client client) const {
    const auto known = clients_.find(client);
    return quota_.admits(known == clients_.end() ? 0 : known->second.waiting.size(), entries_.size());
  }
  bool empty() const { return entries_.empty(); }
  /// The total amount that the waiting requests still need.
  std::int64_t left() const { return left_; }
  std::size_t size() const { return entries_.size(); }

  /// `cost` is the amount that the request needs.
  void push(Client client, std::int64_t cost, T thing) {
    Share& share = clients_[client];
    left_ += cost;
    entries_.push_back({client, cost, cost, ++pushed_, std::move(thing)});
    if (share.waiting.empty()) share.start = std::max(share.finish, now_);
    extend(client, share, std::max(share.finish, now_) + static_cast<double>(cost));
    share.waiting.push_back(std::prev(entries_.end()));
    if (share.waiting.size() == 1) turns_.emplace(turn_of(share), share.waiting.front());
  }
  /// The next request to serve; the queue must not be empty.
  T& first() { return turns_.begin()->second->thing; }
  std::int64_t first_left() const { return turns_.begin()->second->left; }
  T pop_first() { return take(turns_.begin()->second); }
  /// The request that was pushed first; the queue must not be empty.
  T& oldest() { return entries_.front().thing; }
  const T& oldest() const { return entries_.front().thing; }
  T pop_oldest() { return take(entries_.begin()); }
  template <class Visit>
  void for_each(Visit visit) {
    for (Entry& entry : entries_) visit(entry.thing);
  }

  /// Records that first() received `amount`, and advances the virtual time. What a request has not received
  /// when it is removed is not charged to its client.
  void served(std::int64_t amount) {
    turns_.begin()->second->left -= amount;
    left_ -= amount;
    auto left = static_cast<double>(amount);
    while (left > 0 && !active_.empty()) {
      const auto next = active_.begin();
      const double step = std::min(left / static_cast<double>(active_.size()), next->first - now_);
      left -= step * static_cast<double>(active_.size());
      now_ += step;
      if (next->first > now_) return;
      const auto done = clients_.find(next->second);
      active_.erase(next);
      if (done->second.waiting.empty()) clients_.erase(done);
    }
  }

 private:
  using Turn = std::pair<double, std::uint64_t>;
  struct Entry {
    Client client;
    std::int64_t cost;
    std::int64_t left;
    std::uint64_t number;
    T thing;
  };
  using Entries = std::list<Entry>;
  // All in units of now_.
  struct Share {
    double start = 0;   // when service of the first waiting request would begin
    double finish = 0;  // when service of all would end
    std::deque<typename Entries::iterator> waiting = {};
  };

  static Turn turn_of(const Share& share) {
    const Entry& first = *share.waiting.front();
    return {share.start + static_cast<double>(first.cost), first.number};
  }
  void extend(Client client, Share& share, double finish) {
    active_.erase({share.finish, client});
    share.finish = finish;
    if (finish > now_) active_.insert({finish, client});
  }

  // `entry` must be the first of its client, as first() and oldest() are.
  T take(typename Entries::iterator entry) {
    T thing = std::move(entry->thing);
    left_ -= entry->left;
    const Client client = entry->client;
    const auto share = clients_.find(client);
    turns_.erase(turn_of(share->second));
    share->second.waiting.pop_front();
    share->second.start += static_cast<double>(entry->cost - entry->left);
    extend(client, share->second, share->second.finish - static_cast<double>(entry->left));
    if (!share->second.waiting.empty()) {
      turns_.emplace(turn_of(share->second), share->second.waiting.front());
    } else if (share->second.finish <= now_) {
      clients_.erase(share);
    }
    entries_.erase(entry);
    if (entries_.empty()) begin_anew();
    return thing;
  }
  void begin_anew() {
    clients_.clear();
    active_.clear();
    now_ = 0;
  }

  const core::Quota quota_;
  Entries entries_;                                   // in order of arrival
  std::map<Turn, typename Entries::iterator> turns_;  // the first request of each client
  std::unordered_map<Client, Share, core::KeyedHash> clients_;
  std::set<std::pair<double, Client>> active_;  // clients not yet finished at now_
  double now_ = 0;  // virtual time: the amount each active client would have received
  std::uint64_t pushed_ = 0;
  std::int64_t left_ = 0;
};

}  // namespace zerosuite::id
