// The sinks of one server: for the clients that dial it, and for those behind each proxy.
#pragma once

#include <vector>

#include "rpc/transport/sink.hpp"

namespace zerosuite::rpc {

/// Loop thread only. The sinks must outlive their use.
class SinkMux final : public Sink {
 public:
  /// `front` is link 0.
  explicit SinkMux(Sink& front) : sinks_{&front} {}

  /// Adds a sink and returns its link; at most 255 in addition to the front.
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
