// One-way patterns: PUSH/PULL and PUB/SUB. One frame, no answer, no heartbeat, no credit (docs/protocol.md,
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

/// The sending side. Not thread-safe. What libzmq cannot queue is refused, never waited for.
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

  /// Sends one event. False when nobody is connected or the queue is full: nothing was sent.
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

/// Sends each event to every connected subscriber. send() answers true also when there is none, or one does
/// not read and misses it: that is how PUB works.
class Publisher final : public OnewaySender {
 public:
  explicit Publisher(net::Context& context) : OnewaySender(context, zmq::socket_type::pub) {}
};

/// The receiving side: a server whose answers go nowhere. Nobody grants credit for a stream here, so do not
/// register methods that return one. Register methods on server(); events that name no method, do not fit it
/// or make it throw are told to its observers and counted in its stats. Belongs to the loop's thread.
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
  /// From now on events are received.
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

/// Gets a share of what the connected pushers send.
class Puller final : public OnewayReceiver {
 public:
  Puller(net::Context& context, net::Timers& timers, net::Offload& offload)
      : OnewayReceiver(context, zmq::socket_type::pull, timers, offload) {}
};

/// Gets everything the publishers send, as a stock subscriber does: method names are no topics.
class Subscriber final : public OnewayReceiver {
 public:
  Subscriber(net::Context& context, net::Timers& timers, net::Offload& offload);
};

}  // namespace zerosuite::rpc
