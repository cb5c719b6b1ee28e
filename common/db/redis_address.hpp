// Where a Redis server is, and how its name becomes addresses.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.hpp"

namespace zerosuite::db {

/// HOST:PORT, [ADDRESS]:PORT or unix:/PATH, taken apart.
struct RedisAddress {
  std::string path = {};  ///< Of a unix socket; empty for TCP.
  std::string host = {};
  std::uint16_t port = 0;
};

/// Throws core::Failure InvalidArgument when it is none of the three.
RedisAddress parse_redis_address(const std::string& endpoint);

enum class Lookup : std::uint8_t {
  kNumeric,  ///< Reads a numeric address; any other name is not found. Never blocks.
  kName,     ///< Asks whatever the system asks, and may block for long.
};

/// The numeric addresses of a host, in the order in which to try them (getaddrinfo(3)); Unavailable when
/// there are none. Any thread.
core::Result<std::vector<std::string>> look_up(const std::string& host, Lookup how);

}  // namespace zerosuite::db
