// Keeps a socket connected to an endpoint whose host may be a name.
//
// libzmq would look a name up in the thread that serves all its connections, at every attempt, and all of
// them would stand still meanwhile. So it is given numeric addresses alone.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "net/endpoint.hpp"
#include "net/monitor.hpp"
#include "net/offload_names.hpp"
#include "net/reactor.hpp"
#include "net/socket.hpp"

namespace zerosuite::net {

/// What it takes to dial: all of one process, and all of them outlive the dialer.
struct Dialing {
  Context& context;
  Reactor& reactor;
  Names& names;
};

/// Who wants to know what becomes of it; each may be empty. None may destroy the dialer.
struct DialerEvents {
  std::function<void()> up = {};    ///< A peer is connected and speaks ZeroMQ.
  std::function<void()> down = {};  ///< The connection has ended. It is dialed again.
  /// The name was not found, and will be looked up again. It comes with every failure.
  std::function<void(const core::Error&)> not_found = {};
};

/// Belongs to the loop's thread. Connects at once when there is nothing to look up, and then leaves
/// everything to libzmq, as Socket::connect(). A name is looked up anew after every round of its addresses
/// that came to nothing, and after every connection that has ended. What is queued for an address is lost
/// when another one is tried in its place: never, for a name that goes on meaning one and the same address.
/// (Not with ZMQ_IMMEDIATE: libzmq 4.3.4 crashes when an endpoint is disconnected whose connection has
/// ended.) One dialer for each socket, which must go after it.
class Dialer {
 public:
  /// Throws core::Failure as Socket::connect().
  Dialer(const Dialing& dialing, Socket& socket, const std::string& endpoint, DialerEvents events);
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;

  /// Of the last connection, to look at and for nothing else: libzmq closes it when it likes, and the number
  /// may then be another's. -1 before the first.
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
  std::vector<std::string> addresses_;       // to be tried yet, the last one first
  std::string dialed_;
  std::uint32_t failures_ = 0;  // rounds in a row
  Names::Lookup lookup_;
  Timer attempt_;         // the end of an attempt, or of the pause before the next lookup
  bool pausing_ = false;  // before the next lookup, while libzmq may still try the last address
};

}  // namespace zerosuite::net
