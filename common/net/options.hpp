// Options of the parts of net, apart from their headers, so that a configuration can hold them without
// including any socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/clock.hpp"

namespace zerosuite::net {

/// How much libzmq reads over tcp and ipc from a peer whose messages are not received fast enough.
enum class Reading : std::uint8_t {
  /// Up to the high-water mark; then it stops reading, and the peer waits. Not for untrusted peers. A stopped
  /// engine of libzmq 4.3.4 ends the process by an assertion when its connection is hung up and a ZMTP PING,
  /// from the peer or from its own heartbeats, is to be processed before the rest is read (`!_io_error`,
  /// stream_engine_base.cpp:331); and, on a socket that dials, when a heartbeat timeout, its own or one that
  /// the peer's PING asked for, ends the connection meanwhile and reading is resumed on the next one
  /// (`_input_stopped`, ibid. 431).
  kToTheMark,
  /// Everything, so that no engine ever stops. The receiver must bound the memory: see Connections.
  kAll,
};

struct SocketOptions {
  std::int64_t max_frame_bytes =
      32 << 20;           ///< A peer that sends a longer frame is disconnected (ZMQ_MAXMSGSIZE).
  int high_water = 1000;  ///< Messages queued each way for each peer; 0 = no limit (ZMQ_SNDHWM, ZMQ_RCVHWM).
  Reading reading = Reading::kToTheMark;
  core::milliseconds linger{0};  ///< How long the context's end may wait to send what is queued (ZMQ_LINGER).
  /// Interval of ZMTP heartbeats (ZMQ_HEARTBEAT_IVL); a peer whose ZeroMQ does not reply for twice as long is
  /// disconnected; zero sends none. libzmq's own thread replies, so a peer that is merely computing stays
  /// connected. Not with Reading::kToTheMark; and a peer that stops reading at its mark may crash because of
  /// it, as described there.
  core::milliseconds probe{0};
  /// Overrides how long a probe may go unanswered; zero disconnects no peer. libzmq does not read a reply
  /// behind a long message until that message is complete.
  std::optional<core::milliseconds> probe_limit = {};
  /// After this long without data from a peer the kernel probes its machine three times, a third of that
  /// apart, and ends the connection when there is no reply (SO_KEEPALIVE). Zero turns this off.
  core::milliseconds keepalive{30'000};
};

struct GateLimits {
  std::size_t connections = 65'536;  ///< Maximum number open, over all bound sockets.
  std::size_t per_address = 16'384;  ///< Maximum number open from one address, or from one user over ipc.
};

struct PoolOptions {
  std::size_t threads =
      0;  ///< Maximum number; 0 = one for each core. Started as jobs come, so an idle service has none.
  std::size_t spare = 0;  ///< Additional threads.
  /// Maximum number of clients' jobs that wait while all threads are busy, shared according to core::Quota.
  std::size_t max_queued = 10000;
};

}  // namespace zerosuite::net
