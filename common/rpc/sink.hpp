// Where events go: the seam that keeps the protocol free of sockets, so tests see bytes in and bytes out.
#pragma once

#include <cstdint>

#include "wire/codec.hpp"
#include "wire/envelope.hpp"

namespace zerosuite::rpc {

enum class Delivery : std::uint8_t {
  kSent,  ///< On its way.
  kHeld,  ///< Kept, because the peer does not read fast enough: produce no more for it for a while.
  kGone,  ///< Nobody of that identity is connected; dropped.
};

class Sink {
 public:
  virtual ~Sink() = default;

  /// Sends one event. May take the payload's memory; its content is unspecified afterwards. Never blocks.
  virtual Delivery send(const wire::Envelope& peer, wire::Buffer& payload) = 0;
};

}  // namespace zerosuite::rpc
