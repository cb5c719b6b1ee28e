// Where events are sent: the interface that keeps the protocol free of sockets, so that tests see only bytes.
#pragma once

#include <cstdint>

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

}  // namespace zerosuite::rpc
