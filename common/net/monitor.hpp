// The coming and going of a socket's connections, as libzmq's own thread sees it (zmq_socket_monitor(3)).
#pragma once

#include <cstdint>
#include <functional>
#include <zmq.hpp>

#include "net/reactor.hpp"
#include "net/socket.hpp"

namespace zerosuite::net {

enum class Connection : std::uint8_t {
  kUp,    ///< A peer is connected and speaks ZeroMQ.
  kDown,  ///< A connection has ended; the socket itself may learn it a moment later.
};

/// Belongs to the loop's thread. One for each socket at a time; it must go before its socket does.
class Monitor {
 public:
  /// Calls `changed` for each event from now on; it may not destroy the monitor. Throws zmq::error_t when the
  /// context is out of sockets.
  Monitor(zmq::context_t& context, Reactor& reactor, Socket& socket, std::function<void(Connection)> changed);
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

 private:
  void drain();

  Socket& socket_;
  zmq::socket_t events_;
  std::function<void(Connection)> changed_;
  Reactor::Watch watch_;
};

}  // namespace zerosuite::net
