// The way to the clients, over the program's own ROUTER.
#pragma once

#include "proxy/dispatch.hpp"
#include "rpc/transport/router_transport.hpp"

namespace zerosuite::proxy {

class TransportFront final : public Front {
 public:
  explicit TransportFront(rpc::RouterTransport& transport) : transport_(transport) {}

  rpc::Delivery send(const wire::Envelope& peer, wire::Buffer& payload) override {
    return transport_.send(peer, payload);
  }
  rpc::Delivery forward(std::span<net::Frame> frames) override { return transport_.outbox().forward(frames); }

 private:
  rpc::RouterTransport& transport_;
};

}  // namespace zerosuite::proxy
