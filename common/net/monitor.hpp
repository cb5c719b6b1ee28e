// The coming and going of a socket's connections, as libzmq's own thread sees it (zmq_socket_monitor(3)).
#pragma once

#include <cstdint>
#include <functional>
#include <zmq.hpp>

#include "net/context.hpp"
#include "net/reactor.hpp"
#include "net/socket.hpp"

namespace zerosuite::net {

enum class Connection : std::uint8_t {
  kAccepted,  ///< Somebody has dialed a bound socket, and nothing was said yet.
  kDialed,    ///< The same for a socket that dials.
  kUp,        ///< A peer is connected and speaks ZeroMQ.
  kDown,      ///< A connection has ended; the socket itself may learn it a moment later.
  kRefused,   ///< Nobody was there to dial; libzmq will try again.
  kFailed,    ///< Somebody could not be accepted.
};

/// Belongs to the loop's thread. One for each socket at a time; it must go before its socket does.
class Monitor {
 public:
  /// What has happened, and the connection's descriptor (meaningless for kUp and kRefused; of kFailed, the
  /// errno). libzmq closes that right after it has told kDown: the next connection may have the same number.
  using Change = std::function<void(Connection, int)>;

  /// Calls `changed` for each kUp and kDown from now on; it may not destroy the monitor. Throws zmq::error_t
  /// when the context is out of sockets.
  Monitor(Context& context, Reactor& reactor, Socket& socket, std::function<void(Connection)> changed);
  /// The same for all of them.
  Monitor(Context& context, Reactor& reactor, Socket& socket, Change changed);
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  /// Calls `changed` for everything that has happened up to now.
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
