// What a socket's peers do not take yet: kept in order, connection by connection, and offered again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/keyed_hash.hpp"
#include "net/socket.hpp"
#include "net/timers.hpp"
#include "rpc/sink.hpp"

namespace zerosuite::rpc {

/// Belongs to the loop's thread. A connection that stops reading holds up nobody else: libzmq keeps its
/// high-water mark of messages, and this what comes after, up to `max_bytes` for each connection.
class Outbox {
 public:
  Outbox(net::Timers& timers, net::Socket& socket, std::size_t max_bytes);

  /// Sends, or keeps what the connection does not take. kGone when nobody is there, or when too much would be
  /// kept: then all that was kept for the connection is dropped. Taken frames are left empty.
  Delivery forward(std::span<net::Frame> frames);
  /// Sends if the connection takes it now, and otherwise leaves the frames as they are. kFull also while
  /// something is kept for the connection, since nothing overtakes that.
  net::Sent attempt(std::span<net::Frame> frames);

  /// Forgets what is kept for a connection that has ended.
  void drop(std::string_view connection) { held_.erase(std::string(connection)); }

  /// Whether something is kept for any connection.
  bool holding() const { return !held_.empty(); }
  /// How often a connection was given up because it did not read.
  std::uint64_t overflows() const { return overflows_; }

 private:
  struct Held {
    std::deque<std::vector<net::Frame>> messages;
    std::size_t bytes = 0;
  };

  bool holds(const net::Frame& first) const;
  std::string_view connection_of(const net::Frame& first) const;
  Delivery hold(std::span<net::Frame> frames);
  void retry();

  net::Socket& socket_;
  std::size_t max_bytes_;
  std::unordered_map<std::string, Held, core::KeyedHash, std::equal_to<>>
      held_;  // by the outermost identity: one pipe each
  net::Timer retry_;
  std::uint64_t overflows_ = 0;
};

}  // namespace zerosuite::rpc
