#include "rpc/router_transport.hpp"

#include <utility>

namespace zerosuite::rpc {

RouterTransport::RouterTransport(net::Context& context, net::Reactor& reactor, const RouterOptions& options)
    : reactor_(reactor),
      socket_(context, zmq::socket_type::router, options.socket),
      connections_(context, reactor, socket_),
      outbox_(reactor.timers(), socket_, options.max_held_bytes) {
  connections_.set_max_unread(options.max_unread_bytes);
  on_gone([](std::string_view) {});
}

void RouterTransport::on_gone(net::Connections::Gone gone) {
  connections_.on_gone([this, gone = std::move(gone)](std::string_view identity) {
    outbox_.drop(identity);
    gone(identity);
  });
}

void RouterTransport::start(MessageReceiver receiver) {
  receiver_ = std::move(receiver);
  watch_ = reactor_.watch(socket_.ref(), [this] { intake_.drain(socket_, receiver_); });
}

Delivery RouterTransport::send(const wire::Envelope& peer, wire::Buffer& payload) {
  outgoing_.clear();
  append_identities(outgoing_, peer);
  if (outgoing_.empty()) return Delivery::kGone;  // a ROUTER always names the connection
  outgoing_.emplace_back();
  outgoing_.push_back(to_frame(payload));
  return outbox_.forward(outgoing_);
}

}  // namespace zerosuite::rpc
