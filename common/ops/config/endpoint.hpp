// Endpoints that a server binds, as ZeroMQ writes them: tcp://HOST:PORT or ipc://PATH.
#pragma once

#include <string_view>

namespace zerosuite::ops {

/// Whether `endpoint` is `tcp://HOST:PORT` (a port from 0 to 65535, or `*` for any free one) or `ipc://PATH`.
bool is_endpoint(std::string_view endpoint);

/// Whether it can be reached only from this machine: ipc, or tcp on 127.0.0.0/8, [::1], localhost or the
/// interface lo.
bool is_local(std::string_view endpoint);

}  // namespace zerosuite::ops
