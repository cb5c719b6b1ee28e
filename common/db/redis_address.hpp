// The address of a Redis server.
#pragma once

#include <cstdint>
#include <string>

namespace zerosuite::db {

/// HOST:PORT, [ADDRESS]:PORT or unix:/PATH, parsed.
struct RedisAddress {
  std::string path = {};  ///< Of a unix socket; empty for TCP.
  std::string host = {};
  std::uint16_t port = 0;
};

/// Throws core::Failure InvalidArgument for anything else.
RedisAddress parse_redis_address(const std::string& endpoint);

}  // namespace zerosuite::db
