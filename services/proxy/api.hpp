// The proxy's own methods: proxy.workers, proxy.stats and so on.
#pragma once

#include "proxy/relay.hpp"
#include "rpc/server/server.hpp"

namespace zerosuite::proxy {

void bind(rpc::Server& server, Relay& relay, Directory& directory, const net::Timers& timers);

}  // namespace zerosuite::proxy
