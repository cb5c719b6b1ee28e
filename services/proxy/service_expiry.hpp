// Forgets services that have had no worker for a long time.
#pragma once

#include "net/timers.hpp"
#include "proxy/service_registry.hpp"

namespace zerosuite::proxy {

/// Loop thread only. Services of the configuration, and those with queued calls, are not forgotten.
class ServiceExpiry {
 public:
  ServiceExpiry(net::Timers& timers, ServiceRegistry& registry, core::milliseconds forget_after)
      : timers_(timers),
        registry_(registry),
        forget_after_(forget_after),
        timer_(timers, [this] { sweep(); }) {}

  /// The service's last worker has gone.
  void left(Service& service);
  /// Forgets the service that has had no worker for the longest time. False if none may be forgotten.
  bool forget_oldest();

 private:
  Service* longest_left() const;
  void sweep();

  net::Timers& timers_;
  ServiceRegistry& registry_;
  core::milliseconds forget_after_;
  net::Timer timer_;
};

}  // namespace zerosuite::proxy
