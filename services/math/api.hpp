// The math service's methods.
#pragma once

#include "rpc/server/server.hpp"

namespace zerosuite::math {

void bind(rpc::Server& server);

}  // namespace zerosuite::math
