// The calls that wait for a worker: a queue for each service, and one for names that nobody offers yet.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "proxy/service_registry.hpp"

namespace zerosuite::proxy {

struct QueueLimits {
  std::size_t calls = 1000;      ///< Of one service.
  std::size_t bytes = 64 << 20;  ///< Of one service.
};

/// Belongs to the loop's thread. A client may fill a queue that nobody else needs. When it is full, those who
/// have less than their share in it take the places that came last of those who have more.
class CallQueues {
 public:
  /// Ends a call that has to leave its place to another; it leaves the queue in this call.
  using Evict = std::function<void(Route&)>;

  CallQueues(const QueueLimits& limits, Evict evict) : limits_(limits), evict_(std::move(evict)) {}

  /// Makes room for `bytes` more of that client in the service's queue. False when there is none for it.
  bool make_room(const Service& service, const Client& client, std::size_t bytes);
  /// To the end of its service's queue, with its whole message. The call has its PendingState.
  void add(Route& route, std::vector<net::Frame>& frames);
  void remove(Route& route);

  /// Where calls wait whose name nobody offers yet.
  Service& unknown() { return unknown_; }
  const Service& unknown() const { return unknown_; }
  /// The first of these whose name is known to the registry by now; null when there is none.
  Route* first_known(const ServiceRegistry& registry) const;

 private:
  QueueLimits limits_;
  Evict evict_;
  Service unknown_;
};

}  // namespace zerosuite::proxy
