// Intercepts messages before a program's own server: the interface between App and the proxy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "net/socket.hpp"

namespace zerosuite::ops {

struct InterceptorTotals {
  std::uint64_t calls = 0;
  std::uint64_t errors = 0;  ///< Ended by an ERR, from a worker or the interceptor itself.
  std::uint64_t lost = 0;    ///< Calls whose client vanished.
  std::size_t open = 0;
};

/// Called on the loop's thread.
class Interceptor {
 public:
  /// One message of a client, before the server sees it. Returns true when it was taken; otherwise the frames
  /// are unchanged.
  virtual bool receive(std::vector<net::Frame>& frames) = 0;
  /// The connection has ended; its identity may be used again by another client.
  virtual void lose_client(std::string_view identity) = 0;
  /// Takes no new calls from now on. Calls `idle` once none is open; at once when none is.
  virtual void drain(std::function<void()> idle) = 0;
  /// Ends every open call with ERR ShuttingDown.
  virtual void abort() = 0;
  /// What it has passed on since the start, and what is open now.
  virtual InterceptorTotals totals() const = 0;

 protected:
  ~Interceptor() = default;
};

}  // namespace zerosuite::ops
