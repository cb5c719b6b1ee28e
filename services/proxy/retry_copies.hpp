// Copies of idempotent calls, kept to retry them on another worker if the first is lost.
#pragma once

#include <cstddef>

#include "proxy/route_table.hpp"

namespace zerosuite::proxy {

/// Loop thread only.
class RetryCopies {
 public:
  /// Keeps up to `most_bytes` of payloads in total; each client has its share of them.
  explicit RetryCopies(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  /// Keeps the call's payload for a retry, if there is room.
  void keep(Route& route, net::Frame& payload);
  /// Removes and returns the call's payload; empty if none was kept.
  net::Frame take(Route& route);
  void drop(Route& route) { take(route); }

 private:
  std::size_t most_bytes_;
  std::size_t bytes_ = 0;
};

}  // namespace zerosuite::proxy
