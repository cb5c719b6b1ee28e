// The proxy's own methods: proxy.workers, proxy.stats and so on.
#pragma once

#include "proxy/router.hpp"
#include "rpc/server/server.hpp"

namespace zerosuite::proxy {

void bind(rpc::Server& server, Router& router, ServiceRegistry& registry, const net::Timers& timers);

}  // namespace zerosuite::proxy
