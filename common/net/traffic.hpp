// What has passed over a TCP connection of libzmq's, as the kernel counts it: the sign of life of a peer
// whose long message is still on its way, and which no message can show.
#pragma once

#include <cstdint>
#include <optional>

#include "core/clock.hpp"
#include "net/socket.hpp"

namespace zerosuite::net {

/// Only looks, at a descriptor that belongs to libzmq's thread and may be closed, and another's, at any
/// moment. So it knows the connection by the number the kernel gave it (SO_COOKIE). Not thread-safe.
class Traffic {
 public:
  /// Of nothing.
  Traffic() = default;
  /// `descriptor` is the connection's by now, or no longer; -1 stands for none.
  explicit Traffic(int descriptor);
  /// Of the connection that a message has come by, by its last frame.
  explicit Traffic(const Frame& received);

  struct Count {
    std::uint64_t received;      ///< Bytes.
    std::uint64_t taken;         ///< Bytes that the peer's kernel has acknowledged.
    core::milliseconds silence;  ///< Since the last byte came.
  };
  /// nullopt when the connection has ended, or is none of TCP.
  std::optional<Count> count() const;
  /// When the last byte came, as far as this has been asked: to be asked about once a second. The clock's
  /// epoch when none has come, or nothing is known.
  core::TimePoint heard(core::TimePoint now);

 private:
  int descriptor_ = -1;
  std::uint64_t cookie_ = 0;
  std::uint64_t received_ = 0;
  core::TimePoint asked_{};
  core::TimePoint heard_{};
};

}  // namespace zerosuite::net
