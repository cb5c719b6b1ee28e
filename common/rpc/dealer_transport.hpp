// The DEALER socket under a caller.
#pragma once

#include <string>

#include "net/reactor.hpp"
#include "net/socket.hpp"
#include "rpc/frames.hpp"
#include "rpc/sink.hpp"

namespace zerosuite::rpc {

/// Belongs to the thread that drives the loop. Queues 10 000 messages for a server that is away or slow, as a
/// stock client does its thousand, so that a restart loses no call: such a server also gets those that ended
/// meanwhile. What it does not take, the caller keeps as long as the call is open.
class DealerTransport final : public Sink {
 public:
  DealerTransport(net::Context& context, net::Reactor& reactor);

  /// As net::Socket::connect() and bind().
  void connect(const std::string& endpoint) { socket_.connect(endpoint); }
  std::string bind(const std::string& endpoint) { return socket_.bind(endpoint); }
  /// From now on every message goes to `receiver`, at most 64 a turn.
  void start(MessageReceiver receiver);

  Delivery send(const wire::Envelope& peer, wire::Buffer& payload) override;

 private:
  net::Reactor& reactor_;
  net::Socket socket_;
  MessageReceiver receiver_;
  net::Reactor::Watch watch_;
  FrameIntake intake_{reactor_.timers()};
};

}  // namespace zerosuite::rpc
