// The ROUTER socket under a server.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "net/reactor.hpp"
#include "net/socket.hpp"
#include "rpc/frames.hpp"
#include "rpc/sink.hpp"

namespace zerosuite::rpc {

struct RouterOptions {
  net::SocketOptions socket;
  std::size_t max_held_bytes =
      32 << 20;  ///< Answers kept for one client that does not read; then it counts as gone.
};

/// Belongs to the loop's thread. A client that stops reading holds up nobody: what its pipe does not take is
/// kept, in order, up to the limit.
class RouterTransport final : public Sink {
 public:
  RouterTransport(zmq::context_t& context, net::Reactor& reactor, const RouterOptions& options = {});

  /// As net::Socket::bind() and connect(); any number of either.
  std::string bind(const std::string& endpoint) { return socket_.bind(endpoint); }
  void connect(const std::string& endpoint) { socket_.connect(endpoint); }
  /// From now on every message goes to `receiver`, at most 64 a turn.
  void start(FrameReceiver receiver);

  Delivery send(const wire::Envelope& peer, wire::Buffer& payload) override;

  /// Whether answers are kept for a client that does not read fast enough.
  bool holding() const { return !held_.empty(); }
  /// Clients that were given up because they did not read.
  std::uint64_t stuck_peers() const { return stuck_peers_; }

 private:
  struct Held {
    std::deque<std::vector<net::Frame>> messages;
    std::size_t bytes = 0;
  };
  Delivery hold(const std::string& connection);
  void retry();

  net::Reactor& reactor_;
  net::Socket socket_;
  std::size_t max_held_bytes_;
  FrameReceiver receiver_;
  net::Reactor::Watch watch_;
  FrameIntake intake_;
  std::vector<net::Frame> outgoing_;
  std::unordered_map<std::string, Held> held_;  // by the outermost identity: one pipe each
  net::Timer retry_;
  std::uint64_t stuck_peers_ = 0;
};

}  // namespace zerosuite::rpc
