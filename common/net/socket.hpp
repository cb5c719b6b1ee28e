// A ZeroMQ socket with the suite's options: nothing lingers, nothing blocks, no frame above the limit is ever allocated.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>
#include <zmq.hpp>

namespace zerosuite::net {

using Frame = zmq::message_t;

struct SocketOptions {
  std::int64_t max_frame_bytes = 32 << 20;  ///< A peer that announces a longer frame is disconnected (ZMQ_MAXMSGSIZE).
  int high_water = 1000;                    ///< Messages queued each way for each peer; 0 = no limit (ZMQ_SNDHWM, ZMQ_RCVHWM).
};

enum class Sent {
  kYes,   ///< Queued in libzmq.
  kFull,  ///< The peer's pipe is full; nothing was taken, the frames are unchanged.
  kGone,  ///< ROUTER only: no peer of that identity; nothing was taken.
};

/// Not thread-safe; may move between threads with a full fence in between.
class Socket {
 public:
  /// Throws zmq::error_t when the context is closed or out of sockets.
  Socket(zmq::context_t& context, zmq::socket_type type, const SocketOptions& options = {});

  /// Answers the endpoint really bound (a port of 0 or * resolved).
  /// Throws core::Failure(Unavailable | InvalidArgument) with one line that names the endpoint and the reason.
  std::string bind(const std::string& endpoint);
  /// Returns at once; libzmq connects in the background and again whenever the peer comes back. Throws as bind.
  void connect(const std::string& endpoint);

  /// Takes one whole message into `frames` (cleared first); false when none is waiting.
  bool receive(std::vector<Frame>& frames);
  /// Sends the frames as one message, all or none. Taken frames are left empty.
  Sent send(std::span<Frame> frames);

  zmq::socket_ref ref();

 private:
  zmq::socket_t socket_;
};

}  // namespace zerosuite::net
