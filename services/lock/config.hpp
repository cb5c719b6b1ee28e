// What zerosuite-lock can be told beside what every program can.
#pragma once

#include "lock/broker/request.hpp"
#include "lock/engines/embedded.hpp"
#include "ops/config/config.hpp"

namespace zerosuite::lock {

/// Name, endpoint and options. Lives as long as the process.
const ops::Program& program();

Limits limits(const ops::Config& config);
engines::EmbeddedOptions engine_options(const ops::Config& config);

}  // namespace zerosuite::lock
