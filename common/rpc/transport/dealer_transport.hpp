// The DEALER socket under a caller.
#pragma once

#include <optional>
#include <string>

#include "net/dialer.hpp"
#include "net/reactor.hpp"
#include "net/socket.hpp"
#include "rpc/transport/receive_loop.hpp"
#include "rpc/transport/sink.hpp"

namespace zerosuite::rpc {

/// Belongs to the thread that drives the loop. Queues 10 000 messages for a server that is away or slow, as a
/// stock client does its thousand, so that a restart loses no call: such a server also gets those that ended
/// meanwhile. What it does not take, the caller keeps as long as the call is open.
class DealerTransport final : public Sink {
 public:
  DealerTransport(net::Context& context, net::Reactor& reactor);

  /// Connects, as soon as the host's name is looked up if it has one; before, no message is taken. Once for
  /// each transport. Throws core::Failure(InvalidArgument) for an endpoint ZeroMQ does not understand.
  void dial(const net::Dialing& dialing, const std::string& endpoint);
  /// As net::Socket::bind().
  std::string bind(const std::string& endpoint) { return socket_.bind(endpoint); }
  /// From now on every message goes to `receiver`, at most 64 a turn.
  void start(MessageReceiver receiver);

  Delivery send(const wire::Envelope& peer, wire::Buffer& payload) override;

 private:
  net::Reactor& reactor_;
  net::Socket socket_;
  MessageReceiver receiver_;
  net::Reactor::Watch watch_;
  ReceiveLoop intake_{reactor_.timers()};
  std::optional<net::Dialer> dialer_;
};

}  // namespace zerosuite::rpc
