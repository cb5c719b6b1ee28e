// Copies of idempotent calls, kept to retry them on another worker if the first is lost.
#pragma once

#include <cstddef>
#include <utility>

#include "proxy/frames.hpp"
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

inline void RetryCopies::keep(Route& route, net::Frame& payload) {
  const std::size_t bytes = payload.size();
  std::size_t& of_client = route.connection->kept_bytes;
  route.idempotent = bytes_ + bytes <= most_bytes_ && of_client + bytes <= most_bytes_ / kSharers;
  if (!route.idempotent) return;
  route.kept = kept_copy(payload);
  bytes_ += bytes;
  of_client += bytes;
}

inline net::Frame RetryCopies::take(Route& route) {
  bytes_ -= route.kept.size();
  route.connection->kept_bytes -= route.kept.size();
  return std::exchange(route.kept, net::Frame());
}

}  // namespace zerosuite::proxy
