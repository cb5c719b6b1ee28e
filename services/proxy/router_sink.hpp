// Sends to clients over the program's own ROUTER.
#pragma once

#include "proxy/dispatcher.hpp"
#include "rpc/transport/router_transport.hpp"

namespace zerosuite::proxy {

class RouterSink final : public ClientSink {
 public:
  explicit RouterSink(rpc::RouterTransport& transport) : transport_(transport) {}

  rpc::Delivery send(const wire::Envelope& peer, wire::Buffer& payload) override {
    return transport_.send(peer, payload);
  }
  rpc::Delivery forward(std::span<net::Frame> frames) override {
    return transport_.send_queue().forward(frames);
  }

 private:
  rpc::RouterTransport& transport_;
};

}  // namespace zerosuite::proxy
