#include "net/traffic.hpp"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>

namespace zerosuite::net {
namespace {

// 0 when the descriptor is not a socket.
std::uint64_t cookie_of(int descriptor) {
  std::uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  const bool known = ::getsockopt(descriptor, SOL_SOCKET, SO_COOKIE, &cookie, &size) == 0;
  return known ? cookie : 0;
}

}  // namespace

Traffic::Traffic(int descriptor)
    : descriptor_(descriptor), cookie_(descriptor < 0 ? 0 : cookie_of(descriptor)) {}

Traffic::Traffic(const Frame& received) : Traffic(::zmq_msg_get(received.handle(), ZMQ_SRCFD)) {}

std::optional<Traffic::Count> Traffic::count() const {
  if (cookie_ == 0) return std::nullopt;
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(descriptor_, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
  const bool whole = size >= offsetof(tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received;
  if (!whole || cookie_of(descriptor_) != cookie_) return std::nullopt;  // same now, so same when counted
  return Count{info.tcpi_bytes_received, info.tcpi_bytes_acked, core::milliseconds(info.tcpi_last_data_recv)};
}

core::TimePoint Traffic::heard(core::TimePoint now) {
  const auto counted = count();
  if (counted && counted->received != received_) {
    received_ = counted->received;
    heard_ = std::max(asked_, now - counted->silence);
  }
  asked_ = now;
  return heard_;
}

}  // namespace zerosuite::net
