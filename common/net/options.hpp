// What the parts of net can be told, without their own headers: a configuration holds it, and knows no
// socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/clock.hpp"

namespace zerosuite::net {

/// How much libzmq reads over tcp and ipc of a peer whose messages are not received fast enough.
enum class Reading : std::uint8_t {
  /// Its mark of messages; then it stops, and the peer waits. Not for peers that are strangers. A stopped
  /// engine of libzmq 4.3.4 ends the process by an assertion when its connection is hung up and a ZMTP PING,
  /// of the peer or of its own heartbeats, is to be dealt with before the rest was read (`!_io_error`,
  /// stream_engine_base.cpp:331); and, of a socket that dials,
  /// when a heartbeat's time-out, its own or one that the peer's PING asked for, ends the connection
  /// meanwhile and the next one is told to go on (`_input_stopped`, ibid. 431).
  kToTheMark,
  /// Everything, so that no engine ever stops. The receiver must bound it: see Connections.
  kAll,
};

struct SocketOptions {
  std::int64_t max_frame_bytes =
      32 << 20;           ///< A peer that sends a longer frame is disconnected (ZMQ_MAXMSGSIZE).
  int high_water = 1000;  ///< Messages queued each way for each peer; 0 = no limit (ZMQ_SNDHWM, ZMQ_RCVHWM).
  Reading reading = Reading::kToTheMark;
  core::milliseconds linger{0};  ///< What the end of the context may wait for what is queued (ZMQ_LINGER).
  /// A peer whose ZeroMQ does not answer for twice as long is disconnected (ZMQ_HEARTBEAT_IVL); zero asks
  /// nothing. libzmq's own thread answers, so a peer that merely computes stays connected. Not with
  /// Reading::kToTheMark; and a peer that stops reading at its mark may be ended by it, as said there.
  core::milliseconds probe{0};
  /// For how long it may leave a probe unanswered instead; zero disconnects nobody. libzmq reads no answer
  /// behind a long message before that is whole.
  std::optional<core::milliseconds> probe_limit = {};
  /// A peer of which nothing came for this long is asked by the kernel, three times, a third of that apart,
  /// whether its machine still has the connection; without an answer it ends (SO_KEEPALIVE). Zero never asks.
  core::milliseconds keepalive{30'000};
};

struct GateLimits {
  std::size_t connections = 65'536;  ///< At a time, of all bound sockets together.
  std::size_t per_address = 16'384;  ///< At a time, of one address; of one user over ipc.
};

struct PoolOptions {
  std::size_t threads =
      0;  ///< At most; 0 = one for each core. Started as jobs come, so an idle service has none.
  std::size_t spare = 0;  ///< So many threads more than that.
  /// Jobs of clients waiting while all threads are busy, shared as core::Quota says.
  std::size_t max_queued = 10000;
};

}  // namespace zerosuite::net
