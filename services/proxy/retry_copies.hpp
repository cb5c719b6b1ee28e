// Copies of idempotent calls, kept to ask another worker when the first is lost.
#pragma once

#include <cstddef>

#include "proxy/route_table.hpp"

namespace zerosuite::proxy {

/// Belongs to the loop's thread.
class RetryCopies {
 public:
  /// Keeps `most_bytes` of payloads in all; one client has its share of them.
  explicit RetryCopies(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  /// Makes the call one that may be asked again, if there is room for its payload.
  void keep(Route& route, net::Frame& payload);
  /// The call's payload; empty when none was kept.
  net::Frame take(Route& route);
  void drop(Route& route) { take(route); }

 private:
  std::size_t most_bytes_;
  std::size_t bytes_ = 0;
};

}  // namespace zerosuite::proxy
