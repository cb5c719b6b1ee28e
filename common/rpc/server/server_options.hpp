// Options of a server, apart from its header, so that a configuration can hold them without including the
// protocol.
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
  core::Clock::duration heartbeat = std::chrono::seconds(5);      ///< Our interval; clients may have another.
  core::Clock::duration max_heartbeat = std::chrono::minutes(1);  ///< A client may announce no longer one.
  core::Clock::duration passive_limit = std::chrono::minutes(5);  ///< See Heartbeat::server().
  std::uint32_t max_credit = 1'000'000;  ///< Maximum number of stream items a client can grant ahead.
  std::size_t max_pending_items = 1024;  ///< Of one StreamWriter, without credit; further ones are dropped.
};

struct ServerOptions {
  std::string name;  ///< What `_zerorpc_name` returns; also an optional prefix of method names: "math.add".
  wire::Limits limits;
  ChannelOptions channel;
  // Maximum number of open calls, shared according to core::Quota; beyond it ERR Overloaded. A call that
  // keeps more than a KiB of what its client sent counts as several.
  std::size_t max_channels_per_peer = 65'536;  ///< Of one client.
  std::size_t max_channels = 262'144;          ///< In total.
  net::Chores::Watch watch = core::Clock::now;
};

}  // namespace zerosuite::rpc
