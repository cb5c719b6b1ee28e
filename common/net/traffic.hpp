// What has passed over one of libzmq's TCP connections, as the kernel counts it: the only sign of life of a
// peer whose long message is still arriving.
#pragma once

#include <cstdint>
#include <optional>

#include "core/clock.hpp"
#include "net/socket.hpp"

namespace zerosuite::net {

/// Only inspects a descriptor, which belongs to libzmq's thread and may be closed and reused at any moment.
/// So it identifies the connection by the kernel's number for it (SO_COOKIE). Not thread-safe.
class Traffic {
 public:
  /// No connection.
  Traffic() = default;
  /// The connection that has `descriptor` now, if any; -1 stands for none.
  explicit Traffic(int descriptor);
  /// The connection a message came from, identified by its last frame.
  explicit Traffic(const Frame& received);

  struct Count {
    std::uint64_t received;      ///< Bytes.
    std::uint64_t taken;         ///< Bytes the peer's kernel has acknowledged.
    core::milliseconds silence;  ///< Since the last byte was received.
  };
  /// nullopt when the connection has ended or is not over TCP.
  std::optional<Count> count() const;
  /// When the last byte was received, as of this call; to be called about once a second. The clock's epoch
  /// when none was received or nothing is known.
  core::TimePoint heard(core::TimePoint now);

 private:
  int descriptor_ = -1;
  std::uint64_t cookie_ = 0;
  std::uint64_t received_ = 0;
  core::TimePoint asked_{};
  core::TimePoint heard_{};
};

}  // namespace zerosuite::net
