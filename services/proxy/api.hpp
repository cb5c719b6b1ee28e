// The proxy's own methods: proxy.workers, proxy.stats and so on.
#pragma once

#include "proxy/router.hpp"
#include "rpc/server/server.hpp"

namespace zerosuite::proxy {

/// Registers all of them. The arguments must outlive the server's calls.
void bind(rpc::Server& server, Router& router, ServiceRegistry& registry, const net::Timers& timers);

}  // namespace zerosuite::proxy
