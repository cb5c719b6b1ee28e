// The ROUTER socket under a server.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "net/connections.hpp"
#include "net/reactor.hpp"
#include "net/socket.hpp"
#include "rpc/frames.hpp"
#include "rpc/outbox.hpp"
#include "rpc/sink.hpp"

namespace zerosuite::rpc {

struct RouterOptions {
  net::SocketOptions socket{.reading = net::Reading::kAll};
  std::size_t max_held_bytes =
      32 << 20;  ///< Messages kept for one connection that does not read; then it counts as gone.
  /// Bytes that may wait to be received from one connection; beyond them it is ended.
  std::size_t max_unread_bytes = 256 << 20;
};

/// Belongs to the loop's thread. A client that stops reading holds up nobody: see Outbox.
class RouterTransport final : public Sink {
 public:
  RouterTransport(net::Context& context, net::Reactor& reactor, const RouterOptions& options = {});

  /// As net::Socket::bind() and connect(); any number of either.
  std::string bind(const std::string& endpoint) { return socket_.bind(endpoint); }
  void connect(const std::string& endpoint) { socket_.connect(endpoint); }
  /// From now on every message goes to `receiver`, at most 64 a turn.
  void start(MessageReceiver receiver);

  /// Calls `gone(identity)` once a connection has ended of which a message was received, before anybody else
  /// can use the identity; what was kept for it is dropped. Not for peers over inproc. See net::Connections.
  void on_gone(net::Connections::Gone gone);

  Delivery send(const wire::Envelope& peer, wire::Buffer& payload) override;

  net::Socket& socket() { return socket_; }
  /// Whole messages of frames, the connection's identity in front, as they are.
  Outbox& outbox() { return outbox_; }
  const Outbox& outbox() const { return outbox_; }

 private:
  net::Reactor& reactor_;
  net::Socket socket_;
  net::Connections connections_;
  Outbox outbox_;
  MessageReceiver receiver_;
  net::Reactor::Watch watch_;
  FrameIntake intake_{reactor_.timers()};
  std::vector<net::Frame> outgoing_;
};

}  // namespace zerosuite::rpc
