// The starts and ends of a socket's connections, as libzmq's own thread sees them (zmq_socket_monitor(3)).
#pragma once

#include <cstdint>
#include <functional>
#include <zmq.hpp>

#include "net/reactor.hpp"
#include "net/socket.hpp"

namespace zerosuite::net {

enum class Connection : std::uint8_t {
  kAccepted,  ///< A bound socket has accepted a connection; no handshake yet.
  kDialed,    ///< The same for a socket that dials.
  kUp,        ///< A peer is connected and speaks ZeroMQ.
  kDown,      ///< A connection has ended; the socket itself may learn it a moment later.
  kRefused,   ///< The peer could not be reached; libzmq will try again.
  kFailed,    ///< A connection could not be accepted.
};

/// Loop thread only. One for each socket at a time; the socket must outlive it.
class Monitor {
 public:
  /// What has happened, and the connection's descriptor (meaningless for kUp and kRefused; the errno for
  /// kFailed). libzmq closes the descriptor right after it reports kDown: the next connection may get the
  /// same one.
  using Change = std::function<void(Connection, int)>;

  /// Calls `changed`, which may not destroy the monitor, for each kUp and kDown from now on. Throws
  /// zmq::error_t when the context is out of sockets.
  Monitor(Context& context, Reactor& reactor, Socket& socket, std::function<void(Connection)> changed);
  /// The same for all changes.
  Monitor(Context& context, Reactor& reactor, Socket& socket, Change changed);
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  /// Calls `changed` for everything that has happened so far.
  void catch_up();

 private:
  struct Events {
    int mask;
  };
  Monitor(Context& context, Reactor& reactor, Socket& socket, Events events, Change changed);

  Socket& socket_;
  zmq::socket_t events_;
  Change changed_;
  Timer first_look_;
  Reactor::Watch watch_;
};

}  // namespace zerosuite::net
