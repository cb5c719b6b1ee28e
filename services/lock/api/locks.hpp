// The lock service's methods.
#pragma once

#include "lock/broker/broker.hpp"
#include "rpc/server/server.hpp"

namespace zerosuite::lock {

/// Registers all methods. The broker must outlive the server's calls.
void bind(rpc::Server& server, Broker& broker);

}  // namespace zerosuite::lock
