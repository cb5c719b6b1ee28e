#include "rpc/server/oneway.hpp"

#include <array>

namespace zerosuite::rpc {
namespace {

// One-way events open no channel at the sender, so no heartbeats arrive, and a channel must not be lost for
// lack of them.
ServerOptions without_heartbeats() {
  ServerOptions options;
  options.channel.heartbeat = std::chrono::hours(24 * 365);
  return options;
}

}  // namespace

wire::Packer OnewaySender::begin(std::string_view method) {
  buffer_.clear();
  wire::begin_event(buffer_, {ids_.next(), {}, method, nullptr});
  return wire::Packer(buffer_);
}

bool OnewaySender::finish() {
  std::array<net::Frame, 1> frames{to_frame(buffer_)};
  return socket_.send(frames) == net::Sent::kYes;
}

OnewayReceiver::OnewayReceiver(net::Context& context, zmq::socket_type type, net::Timers& timers,
                               net::Offload& offload)
    : socket_(context, type), server_(timers, nowhere_, offload, without_heartbeats()), intake_(timers) {}

void OnewayReceiver::start(net::Reactor& reactor) {
  receiver_ = by_view([this](std::span<const std::string_view> frames) { server_.receive(frames.last(1)); });
  watch_ = reactor.watch(socket_.ref(), [this] { intake_.drain(socket_, receiver_); });
}

Subscriber::Subscriber(net::Context& context, net::Timers& timers, net::Offload& offload)
    : OnewayReceiver(context, zmq::socket_type::sub, timers, offload) {
  socket().ref().set(zmq::sockopt::subscribe, "");
}

}  // namespace zerosuite::rpc
