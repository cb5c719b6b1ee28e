// What a server can be told, without its own header: a configuration holds it, and knows no protocol.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/clock.hpp"
#include "net/chores.hpp"
#include "wire/limits.hpp"

namespace zerosuite::rpc {

struct ChannelOptions {
  core::Clock::duration heartbeat = std::chrono::seconds(5);      ///< Ours; clients need not have the same.
  core::Clock::duration passive_limit = std::chrono::minutes(5);  ///< See Heartbeat::server().
  std::uint32_t max_credit = 1'000'000;  ///< Stream items a client may have granted ahead.
};

struct ServerOptions {
  std::string
      name;  ///< What `_zerorpc_name` answers; also the prefix under which methods may be called: "math.add".
  wire::Limits limits;
  ChannelOptions channel;
  // Open calls, shared as core::Quota does; beyond them ERR Overloaded. One that keeps more than a KiB of
  // what its client sent counts for several.
  std::size_t max_channels_per_peer = 65'536;  ///< Of one client.
  std::size_t max_channels = 262'144;          ///< In total.
  net::Chores::Watch watch = core::Clock::now;
};

}  // namespace zerosuite::rpc
