// Options of a RouterTransport, apart from its header, so that a configuration can hold them without
// including any socket.
#pragma once

#include <cstddef>

#include "net/options.hpp"

namespace zerosuite::rpc {

struct RouterOptions {
  net::SocketOptions socket{.reading = net::Reading::kAll};
  std::size_t max_held_bytes = 64 << 20;         ///< SendQueueLimits::connection
  std::size_t max_held_total_bytes = 512 << 20;  ///< SendQueueLimits::total
  std::size_t max_unread_bytes = 256 << 20;      ///< See net::Connections::set_max_unread.
  std::size_t max_unread_total_bytes = 1 << 30;
};

}  // namespace zerosuite::rpc
