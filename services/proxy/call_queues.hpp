// The calls that wait for a worker: a queue per service, and one for names that no service offers yet.
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

/// Loop thread only. A client may fill a queue that no other client needs. When it is full, clients below
/// their share take the latest places of clients above it.
class CallQueues {
 public:
  /// Ends a call to free its place; it leaves the queue in this call.
  using Evict = std::function<void(Route&)>;

  CallQueues(const QueueLimits& limits, Evict evict) : limits_(limits), evict_(std::move(evict)) {}

  /// Makes room for `bytes` more of that client in the service's queue. False if that is not possible.
  bool make_room(const Service& service, const Client& client, std::size_t bytes);
  /// Puts the call at the end of its service's queue, with its whole message. It must have its PendingState.
  void add(Route& route, std::vector<net::Frame>& frames);
  void remove(Route& route);

  /// A pseudo-service for calls whose name no service offers yet.
  Service& unknown() { return unknown_; }
  const Service& unknown() const { return unknown_; }
  /// The first of these calls whose name the registry knows by now; null if there is none.
  Route* first_known(const ServiceRegistry& registry) const;

 private:
  QueueLimits limits_;
  Evict evict_;
  Service unknown_;
};

}  // namespace zerosuite::proxy
