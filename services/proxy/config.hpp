// What zerosuite-proxy can be told beside what every program can.
#pragma once

#include <vector>

#include "ops/config/config.hpp"
#include "proxy/admission.hpp"
#include "proxy/router.hpp"
#include "proxy/upstream.hpp"

namespace zerosuite::proxy {

/// Name, endpoints and options. Lives as long as the process.
const ops::Program& program();

RouterOptions router_options(const ops::Config& config);
AdmissionOptions admission_options(const ops::Config& config);
/// One for each endpoint of each [[proxy.upstream]]. Throws core::Failure(InvalidArgument) when a service has
/// the same endpoint twice.
std::vector<UpstreamOptions> upstreams(const ops::Config& config, const net::SocketOptions& socket);

}  // namespace zerosuite::proxy
