// A ZeroMQ socket with the suite's options: no linger by default, no blocking, and no frame above the limit
// is ever allocated; and the context it belongs to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>
#include <zmq.hpp>

#include "core/clock.hpp"
#include "net/options.hpp"

namespace zerosuite::net {

class Connections;
class Gate;
class Reactor;

/// A ZeroMQ context and the gate in front of every socket bound in it. Not thread-safe. Must outlive its
/// sockets and be destroyed before the reactor.
class Context {
 public:
  /// A program that binds a socket must also run `reactor`: connections over tcp and ipc wait until it admits
  /// them.
  explicit Context(Reactor& reactor);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  zmq::context_t& zmq() { return context_; }
  /// Created on first use: a program that only dials needs none.
  Gate& gate();

 private:
  Reactor& reactor_;
  zmq::context_t context_;
  std::unique_ptr<Gate> gate_;
};

using Frame = zmq::message_t;

enum class Received {
  kNone,           ///< No message is waiting.
  kMessage,        ///< One whole message.
  kTooManyFrames,  ///< Its first kMaxFrames frames; the others were dropped.
};

enum class Sent {
  kYes,   ///< Queued in libzmq; lost, like anything on the wire, when the peer's connection ends.
  kFull,  ///< The peer's pipe is full, or no peer is connected; nothing was taken, the frames are unchanged.
  kGone,  ///< ROUTER only: no peer of that identity; nothing was taken. A peer that left while its pipe was
          ///< full is kFull until the socket is next polled or received from (libzmq ends the pipe when it
          ///< reads it).
};

/// Not thread-safe; may move between threads with a full fence in between.
class Socket {
 public:
  /// Maximum number of frames kept of one message. Above the wire's limit on envelopes, so that the layer
  /// above can identify the sender.
  static constexpr std::size_t kMaxFrames = 20;

  /// Throws zmq::error_t when the context is closed or out of sockets.
  Socket(Context& context, zmq::socket_type type, const SocketOptions& options = {});

  /// Returns the endpoint actually bound (a port of 0 or * resolved). The context's gate is asked about every
  /// connection over tcp or ipc. Throws core::Failure(Unavailable | InvalidArgument) with one line that names
  /// the endpoint and the reason.
  std::string bind(const std::string& endpoint);
  /// Returns at once; libzmq connects in the background, and reconnects whenever the peer comes back. Takes
  /// numeric addresses only; a Dialer looks names up. Throws as bind() does.
  void connect(const std::string& endpoint);
  /// Ends what connect() with exactly the same text began, and drops what is queued for it. Does nothing when
  /// there was no such connect().
  void disconnect(const std::string& endpoint);

  /// Takes one message into `frames` (cleared first). Throws zmq::error_t when the context is shutting down.
  Received receive(std::vector<Frame>& frames);
  /// Sends the frames (at least one) as one message, all or none. Frames that were taken are left empty.
  /// Throws zmq::error_t when the context is shutting down.
  Sent send(std::span<Frame> frames);

  /// Drops what is queued when the socket is closed, whatever its linger was.
  void drop_queue() { socket_.set(zmq::sockopt::linger, 0); }

  zmq::socket_ref ref() { return socket_; }
  /// A descriptor that becomes readable once when there may be something to receive after there was nothing
  /// (ZMQ_FD, edge-triggered). For sockets with few messages: polling it costs nothing while they are silent.
  int doorbell() const { return socket_.get(zmq::sockopt::fd); }
  /// From now on reports every message to `connections` and asks it before each send. Null ends this.
  void watch_over(Connections* connections) { connections_ = connections; }
  /// Whether the first frame of a message names the connection.
  bool names_peers() const { return type_ == zmq::socket_type::router; }

 private:
  Received take(std::vector<Frame>& frames, std::uint64_t& dropped);

  void set_mark(std::string_view endpoint);

  Context* context_;
  SocketOptions options_;
  zmq::socket_type type_;
  zmq::socket_t socket_;
  Connections* connections_ = nullptr;
};

}  // namespace zerosuite::net
