// Where a Redis server is.
#pragma once

#include <cstdint>
#include <string>

namespace zerosuite::db {

/// HOST:PORT, [ADDRESS]:PORT or unix:/PATH, taken apart.
struct RedisAddress {
  std::string path = {};  ///< Of a unix socket; empty for TCP.
  std::string host = {};
  std::uint16_t port = 0;
};

/// Throws core::Failure InvalidArgument when it is none of the three.
RedisAddress parse_redis_address(const std::string& endpoint);

}  // namespace zerosuite::db
