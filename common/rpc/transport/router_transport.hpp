// The ROUTER socket under a server.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/keyed_hash.hpp"
#include "net/connections.hpp"
#include "net/reactor.hpp"
#include "net/socket.hpp"
#include "rpc/transport/receive_loop.hpp"
#include "rpc/transport/router_options.hpp"
#include "rpc/transport/send_queue.hpp"
#include "rpc/transport/sink.hpp"

namespace zerosuite::rpc {

/// Loop thread only. A client that stops reading holds up no other: see SendQueue. While it is above its mark
/// its new calls wait here, so that no more replies are produced for it; its other messages are still
/// received.
class RouterTransport final : public Sink {
 public:
  RouterTransport(net::Context& context, net::Reactor& reactor, const RouterOptions& options = {});

  /// As net::Socket::bind() and connect(); any number of either.
  std::string bind(const std::string& endpoint) { return socket_.bind(endpoint); }
  void connect(const std::string& endpoint) { socket_.connect(endpoint); }
  /// From now on every message goes to `receiver`, a turn's worth at a time; see ReceiveLoop.
  void start(MessageReceiver receiver);

  /// Calls `gone(identity)` once a connection that has sent a message has ended, before another can use the
  /// identity; everything kept for it is dropped. Not for peers over inproc. See net::Connections.
  void on_gone(net::Connections::Gone gone);
  /// Receives a turn's worth now; not from within a receiver. Returns whether there may be more.
  bool receive() { return intake_.drain(socket_, receiver_); }

  Delivery send(const wire::Envelope& peer, wire::Buffer& payload) override;

  net::Socket& socket() { return socket_; }
  /// For sending whole messages of frames, with the connection's identity in front.
  SendQueue& send_queue() { return send_queue_; }
  const SendQueue& send_queue() const { return send_queue_; }

 private:
  // Waiting calls of a connection that does not read its replies.
  struct Postponed {
    std::deque<std::vector<net::Frame>> messages;
    std::size_t bytes = 0;
  };

  void forget(std::string_view identity);
  void take(std::vector<net::Frame>& frames);
  void postpone(std::vector<net::Frame>& frames);
  void resume();
  bool resume(Postponed& postponed);

  net::Reactor& reactor_;
  net::Socket socket_;
  net::Connections connections_;
  SendQueue send_queue_;
  std::size_t max_postponed_bytes_;  // per connection
  MessageReceiver receiver_;
  MessageReceiver taker_ = [this](std::vector<net::Frame>& frames) { take(frames); };
  net::Reactor::Watch watch_;
  ReceiveLoop intake_{reactor_.timers()};
  std::vector<net::Frame> outgoing_;
  std::unordered_map<std::string, Postponed, core::KeyedHash, std::equal_to<>> postponed_;
  net::Timer resume_{reactor_.timers(), [this] { resume(); }};
};

}  // namespace zerosuite::rpc
