// Where events go: the seam that keeps the protocol free of sockets, so tests see bytes in and bytes out.
#pragma once

#include <cstdint>

#include "wire/codec.hpp"
#include "wire/envelope.hpp"

namespace zerosuite::rpc {

enum class Delivery : std::uint8_t {
  kSent,  ///< On its way.
  kHeld,  ///< Kept, because the peer does not read fast enough: produce no more for it for a while.
  kGone,  ///< Nobody of that identity is connected, or a client's queue is full; not sent.
};

class Sink {
 public:
  virtual ~Sink() = default;

  /// Sends one event. May take the payload's memory; its content is unspecified afterwards, except that a
  /// DealerTransport leaves it as it was when it answers kGone. Never blocks.
  virtual Delivery send(const wire::Envelope& peer, wire::Buffer& payload) = 0;
};

}  // namespace zerosuite::rpc
