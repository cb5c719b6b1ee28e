// Forgets services that have been without a worker for long.
#pragma once

#include "net/timers.hpp"
#include "proxy/service_registry.hpp"

namespace zerosuite::proxy {

/// Belongs to the loop's thread. A service of the configuration, or one that calls wait for, is not
/// forgotten.
class ServiceExpiry {
 public:
  ServiceExpiry(net::Timers& timers, ServiceRegistry& registry, core::milliseconds forget_after)
      : timers_(timers),
        registry_(registry),
        forget_after_(forget_after),
        timer_(timers, [this] { sweep(); }) {}

  /// Its last worker has gone.
  void left(Service& service);
  /// Forgets the service that has been without a worker longest. False when none may be forgotten.
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
