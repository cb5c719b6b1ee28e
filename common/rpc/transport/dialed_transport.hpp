// The DEALER with which a process dials another one, and redials after giving the connection up.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "net/dialer.hpp"
#include "net/reactor.hpp"
#include "net/traffic.hpp"
#include "rpc/transport/send_queue.hpp"

namespace zerosuite::rpc {

/// The owner of this end. Called on the loop's thread; it may not destroy the transport.
class DialedHost {
 public:
  virtual void connected() = 0;
  /// Everything that had arrived was received before this call. The transport reconnects by itself and may
  /// keep what was queued; redial() drops it.
  virtual void disconnected() = 0;
  virtual void receive(std::vector<net::Frame>& frames) = 0;
  /// No message waits for its turn any more; see behind().
  virtual void caught_up() {}
  /// The endpoint's host name was not found; it will be looked up again.
  virtual void not_found(const core::Error& why) = 0;

 protected:
  ~DialedHost() = default;
};

struct DialedOptions {
  std::string endpoint;
  net::SocketOptions socket;
  std::size_t max_held_bytes = 32 << 20;
  /// FairIntakeOptions::max_waiting_bytes
  std::size_t max_waiting_bytes = 0;
};

/// Belongs to the loop's thread.
class DialedTransport {
 public:
  /// Dials. Throws core::Failure(InvalidArgument) for a malformed endpoint.
  DialedTransport(const net::Dialing& dialing, DialedHost& host, DialedOptions options);
  ~DialedTransport();

  /// Gives the connection up, drops what is queued, and dials a new one at the end of the turn. Until then
  /// nothing is sent or received.
  void redial();
  bool redialing() const { return redial_.armed(); }
  /// Cancels the new dial; the old connection stays given up.
  void stay_away() { redial_.cancel(); }

  /// As SendQueue.
  net::Sent attempt(std::span<net::Frame> frames);
  Delivery forward(std::span<net::Frame> frames);
  bool holding() const;
  /// Whether received messages wait for their turn; see FairIntake.
  bool behind() const;

  /// Receives what has arrived but was not yet read.
  void read_up();
  /// The traffic of the current connection.
  net::Traffic traffic() const;

 private:
  struct Line;

  void dial();

  net::Dialing dialing_;
  DialedHost& host_;
  DialedOptions options_;
  std::unique_ptr<Line> line_;
  net::Timer redial_;  // a line is not replaced inside its own callbacks
};

}  // namespace zerosuite::rpc
