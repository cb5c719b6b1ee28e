// Where events are sent: the interface that keeps the protocol free of sockets, so that tests see only bytes.
#pragma once

#include <cstdint>
#include <vector>

#include "wire/codec.hpp"
#include "wire/envelope.hpp"

namespace zerosuite::rpc {

enum class Delivery : std::uint8_t {
  kSent,  ///< Queued for sending.
  kHeld,  ///< Kept, because the peer does not read fast enough: pause producing for it.
  kGone,  ///< Not sent: no peer of that identity is connected, or a client's queue is full.
};

class Sink {
 public:
  virtual ~Sink() = default;

  /// Sends one event. May take the payload's memory, whose content is unspecified afterwards, except that a
  /// DealerTransport leaves it unchanged when it returns kGone. Never blocks.
  virtual Delivery send(const wire::Envelope& peer, wire::Buffer& payload) = 0;
};

/// The sinks of one server: for the clients that dial it, and for those behind each proxy. Loop thread only.
/// The sinks must outlive their use.
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
