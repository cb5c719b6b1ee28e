#include "rpc/transport/dealer_transport.hpp"

#include <array>

namespace zerosuite::rpc {

DealerTransport::DealerTransport(net::Context& context, net::Reactor& reactor)
    : reactor_(reactor),
      socket_(context, zmq::socket_type::dealer, {.high_water = 10'000, .reading = net::Reading::kAll}) {}

// A numeric address is left to libzmq, without a dialer, which would cost descriptors.
void DealerTransport::dial(const net::Dialing& dialing, const std::string& endpoint) {
  if (!net::named_endpoint(endpoint)) return socket_.connect(endpoint);
  dialer_.emplace(dialing, socket_, endpoint, net::DialerEvents{});
}

void DealerTransport::start(MessageReceiver receiver) {
  receiver_ = std::move(receiver);
  watch_ = reactor_.watch(socket_.ref(), [this] { intake_.drain(socket_, receiver_); });
}

Delivery DealerTransport::send(const wire::Envelope& /*peer*/, wire::Buffer& payload) {
  std::array<net::Frame, 2> frames{net::Frame(), to_frame(payload)};
  if (socket_.send(frames) == net::Sent::kYes) return Delivery::kSent;
  payload.clear();
  payload.write(frames.back().data<char>(), frames.back().size());
  return Delivery::kGone;
}

}  // namespace zerosuite::rpc
