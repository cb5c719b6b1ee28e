// The DEALER socket under a caller.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "net/dialer.hpp"
#include "net/reactor.hpp"
#include "net/socket.hpp"
#include "rpc/transport/receive_loop.hpp"
#include "rpc/transport/sink.hpp"

namespace zerosuite::rpc {

/// For the thread that drives the loop. Queues 10 000 messages for a server that is absent or slow (a stock
/// client queues a thousand), so that a restart loses no call; that server also gets calls that have ended
/// meanwhile. What the queue does not take, the Caller keeps while the call is open.
class DealerTransport final : public Sink {
 public:
  DealerTransport(net::Context& context, net::Reactor& reactor);

  /// Connects, after looking up the host's name if it has one; no message is taken before that. To be called
  /// once. Throws core::Failure(InvalidArgument) for a malformed endpoint.
  void dial(const net::Dialing& dialing, const std::string& endpoint);
  /// As net::Socket::bind().
  std::string bind(const std::string& endpoint) { return socket_.bind(endpoint); }
  /// From now on every message goes to `receiver`, a turn's worth at a time; see ReceiveLoop.
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

inline DealerTransport::DealerTransport(net::Context& context, net::Reactor& reactor)
    : reactor_(reactor),
      socket_(context, zmq::socket_type::dealer, {.high_water = 10'000, .reading = net::Reading::kAll}) {}

// A numeric address is left to libzmq, without a dialer, which would cost descriptors.
inline void DealerTransport::dial(const net::Dialing& dialing, const std::string& endpoint) {
  if (!net::named_endpoint(endpoint)) return socket_.connect(endpoint);
  dialer_.emplace(dialing, socket_, endpoint, net::DialerEvents{});
}

inline void DealerTransport::start(MessageReceiver receiver) {
  receiver_ = std::move(receiver);
  watch_ = reactor_.watch(socket_.ref(), [this] { intake_.drain(socket_, receiver_); });
}

inline Delivery DealerTransport::send(const wire::Envelope& /*peer*/, wire::Buffer& payload) {
  std::array<net::Frame, 2> frames{net::Frame(), to_frame(payload)};
  if (socket_.send(frames) == net::Sent::kYes) return Delivery::kSent;
  payload.clear();
  payload.write(frames.back().data<char>(), frames.back().size());
  return Delivery::kGone;
}

}  // namespace zerosuite::rpc
