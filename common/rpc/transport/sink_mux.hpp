// The ways out of one server: to the clients that dial it, and to those behind each proxy.
#pragma once

#include <vector>

#include "rpc/transport/sink.hpp"

namespace zerosuite::rpc {

/// Belongs to the loop's thread. The sinks must outlive what is sent.
class SinkMux final : public Sink {
 public:
  /// `front` is link 0.
  explicit SinkMux(Sink& front) : sinks_{&front} {}

  /// Adds a way and answers its number; there are 255 at most beside the front.
  wire::Link add(Sink& sink) {
    sinks_.push_back(&sink);
    return static_cast<wire::Link>(sinks_.size() - 1);
  }

  Delivery send(const wire::Envelope& peer, wire::Buffer& payload) override {
    return sinks_[peer.link()]->send(peer, payload);
  }

 private:
  std::vector<Sink*> sinks_;
};

}  // namespace zerosuite::rpc
