#include "proxy/retry_copies.hpp"

#include <utility>

#include "proxy/frames.hpp"

namespace zerosuite::proxy {

void RetryCopies::keep(Route& route, net::Frame& payload) {
  const std::size_t bytes = payload.size();
  std::size_t& of_client = route.connection->kept_bytes;
  route.idempotent = bytes_ + bytes <= most_bytes_ && of_client + bytes <= most_bytes_ / kSharers;
  if (!route.idempotent) return;
  route.kept = kept_copy(payload);
  bytes_ += bytes;
  of_client += bytes;
}

net::Frame RetryCopies::take(Route& route) {
  bytes_ -= route.kept.size();
  route.connection->kept_bytes -= route.kept.size();
  return std::exchange(route.kept, net::Frame());
}

}  // namespace zerosuite::proxy
