// Keeps a socket connected to an endpoint whose host may be a name.
//
// libzmq would look a name up at every attempt in the thread that serves all its connections, and stall all
// of them meanwhile. So it is given numeric addresses only.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "net/monitor.hpp"
#include "net/offload_names.hpp"
#include "net/reactor.hpp"
#include "net/socket.hpp"

namespace zerosuite::net {

/// The parts of a process that dialing needs. All must outlive the dialer.
struct Dialing {
  Context& context;
  Reactor& reactor;
  Names& names;
};

/// Callbacks; each may be empty. None may destroy the dialer.
struct DialerEvents {
  std::function<void()> up = {};    ///< A peer is connected and speaks ZeroMQ.
  std::function<void()> down = {};  ///< The connection has ended. It is dialed again.
  /// The name was not found, and will be looked up again. Called at every failure.
  std::function<void(const core::Error&)> not_found = {};
};

/// Loop thread only. Connects at once when there is nothing to look up, and then leaves everything to libzmq,
/// as Socket::connect() does. A name is looked up again after every round in which all its addresses failed,
/// and after every connection that ends. Messages queued for an address are lost when another address is
/// tried in its place; this does not happen while a name keeps resolving to the same single address. (Not
/// with ZMQ_IMMEDIATE: libzmq 4.3.4 crashes when disconnecting an endpoint whose connection has ended.) One
/// dialer for each socket, which must outlive it.
class Dialer {
 public:
  /// Throws core::Failure as Socket::connect().
  Dialer(const Dialing& dialing, Socket& socket, const std::string& endpoint, DialerEvents events);
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;

  /// The descriptor of the last connection, for inspection only: libzmq may close it at any time, and the
  /// number may then be reused. -1 before the first connection.
  int descriptor() const { return descriptor_; }

 private:
  void changed(Connection connection, int descriptor);
  void look_up();
  void found(const Addresses& addresses);
  void try_next();
  void give_up_address();
  void pause();

  Names& names_;
  Socket& socket_;
  DialerEvents events_;
  int descriptor_ = -1;
  Monitor monitor_;
  const std::optional<NamedEndpoint> name_;  // nullopt when there is nothing to look up
  std::vector<std::string> addresses_;       // still to be tried, from the back
  std::string dialed_;
  std::uint32_t failures_ = 0;  // consecutive failed rounds
  Names::Lookup lookup_;
  Timer attempt_;         // the end of an attempt, or of the pause before the next lookup
  bool pausing_ = false;  // before the next lookup, while libzmq may still try the last address
};

}  // namespace zerosuite::net
