// One-way patterns: PUSH/PULL and PUB/SUB. One frame, no reply, no heartbeat, no credit (docs/protocol.md,
// "One way").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "net/dialer.hpp"
#include "net/offload.hpp"
#include "net/reactor.hpp"
#include "net/socket.hpp"
#include "rpc/server/server.hpp"
#include "rpc/transport/receive_loop.hpp"
#include "wire/event.hpp"
#include "wire/id.hpp"

namespace zerosuite::rpc {

/// The sending side. Not thread-safe. Never blocks: an event that libzmq cannot queue is refused.
class OnewaySender {
 public:
  /// As net::Socket::bind() and connect(), which takes no name of a host.
  std::string bind(const std::string& endpoint) { return socket_.bind(endpoint); }
  void connect(const std::string& endpoint) { socket_.connect(endpoint); }
  /// Connects to a host by its name, looked up as often as needed while the reactor turns. Once for each
  /// socket.
  void dial(const net::Dialing& dialing, const std::string& endpoint) {
    dialer_.emplace(dialing, socket_, endpoint, net::DialerEvents{});
  }

  /// Sends one event. Returns false, having sent nothing, when no peer is connected or the queue is full.
  /// Throws wire::Mismatch for arguments that cannot be sent.
  template <class... A>
  bool send(std::string_view method, const A&... args) {
    wire::Packer packer = begin(method);
    packer.pack_array(sizeof...(A));
    (wire::pack(packer, args), ...);
    return finish();
  }

 protected:
  OnewaySender(net::Context& context, zmq::socket_type type) : socket_(context, type) {}

 private:
  wire::Packer begin(std::string_view method);
  bool finish();

  net::Socket socket_;
  std::optional<net::Dialer> dialer_;
  wire::IdSource ids_;
  wire::Buffer buffer_;
};

/// Deals each event to one of the connected pullers.
class Pusher final : public OnewaySender {
 public:
  explicit Pusher(net::Context& context) : OnewaySender(context, zmq::socket_type::push) {}
};

/// Sends each event to every connected subscriber. As PUB does, send() returns true also when there is no
/// subscriber, or when a slow one misses the event.
class Publisher final : public OnewaySender {
 public:
  explicit Publisher(net::Context& context) : OnewaySender(context, zmq::socket_type::pub) {}
};

/// The receiving side: a server whose replies are discarded. Register methods on server(), but none that
/// returns a stream, since there is no client to grant credit. Events that name no method, do not fit it or
/// make it throw are reported to its observers and counted in its stats. Loop thread only.
class OnewayReceiver {
 public:
  /// As net::Socket::bind() and connect(), which takes no name of a host.
  std::string bind(const std::string& endpoint) { return socket_.bind(endpoint); }
  void connect(const std::string& endpoint) { socket_.connect(endpoint); }
  /// Connects to a host by its name, looked up as often as needed while the reactor turns. Once for each
  /// socket.
  void dial(const net::Dialing& dialing, const std::string& endpoint) {
    dialer_.emplace(dialing, socket_, endpoint, net::DialerEvents{});
  }

  Server& server() { return server_; }
  /// Starts to receive events.
  void start(net::Reactor& reactor);

 protected:
  OnewayReceiver(net::Context& context, zmq::socket_type type, net::Timers& timers, net::Offload& offload);
  net::Socket& socket() { return socket_; }

 private:
  struct Nowhere final : Sink {
    Delivery send(const wire::Envelope&, wire::Buffer&) override { return Delivery::kSent; }
  };

  net::Socket socket_;
  std::optional<net::Dialer> dialer_;
  Nowhere nowhere_;
  Server server_;
  ReceiveLoop intake_;
  MessageReceiver receiver_;
  net::Reactor::Watch watch_;
};

/// Receives a share of the events of the connected pushers.
class Puller final : public OnewayReceiver {
 public:
  Puller(net::Context& context, net::Timers& timers, net::Offload& offload)
      : OnewayReceiver(context, zmq::socket_type::pull, timers, offload) {}
};

/// Receives all events of the publishers, as a stock subscriber does: method names are not topics.
class Subscriber final : public OnewayReceiver {
 public:
  Subscriber(net::Context& context, net::Timers& timers, net::Offload& offload);
};

}  // namespace zerosuite::rpc
