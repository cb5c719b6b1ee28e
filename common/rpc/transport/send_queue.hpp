// Messages that a socket's peers do not take yet: counted in bytes, kept in order for each connection, and
// retried.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/keyed_hash.hpp"
#include "net/socket.hpp"
#include "net/timers.hpp"
#include "rpc/transport/sink.hpp"

namespace zerosuite::rpc {

/// How much may be in flight.
struct SendQueueLimits {
  SendQueueLimits(std::size_t its_connection, std::size_t its_total = std::numeric_limits<std::size_t>::max())
      : connection(its_connection), total(its_total) {}

  std::size_t connection;  ///< Bytes for one connection; beyond it the connection is given up.
  std::size_t total;       ///< Bytes for all connections; beyond it the one with the most is given up.
  /// One message is watched for every this many bytes sent, and represents them.
  std::size_t watched = 16 << 10;
};

/// Loop thread only. A connection that stops reading holds up no other: libzmq keeps messages up to its
/// high-water mark, and this queue what comes after. Both are counted, since libzmq's mark ignores sizes: a
/// sent message stays counted until libzmq releases it. Watching a message costs as much as sending it, so
/// among small messages one is watched for each 16 KiB sent, and represents the others.
class SendQueue {
 public:
  SendQueue(net::Timers& timers, net::Socket& socket, const SendQueueLimits& limits);

  /// Sends the message, or keeps it when the connection does not take it. Returns kHeld also when it was sent
  /// but the connection has more than its mark, a quarter of the limit, outstanding. Returns kGone when the
  /// peer is not connected, or when the connection is given up: everything kept for it is dropped, and it
  /// stays gone until libzmq has released all its watched messages. Frames that were taken are left empty.
  Delivery forward(std::span<net::Frame> frames);
  /// Sends the message if the connection takes it now, and otherwise leaves the frames unchanged. Returns
  /// kFull also while the connection has messages kept, which must not be overtaken, or more than its mark
  /// outstanding.
  net::Sent attempt(std::span<net::Frame> frames);

  enum class Standing : std::uint8_t {
    kReads,
    kSlow,     ///< Has more than its mark outstanding.
    kGivenUp,  ///< Did not read; see forward().
  };
  /// The standing of the connection that a message with that first frame comes from or goes to.
  Standing standing(const net::Frame& first);
  void give_up(const net::Frame& first);
  /// Calls `cut` with the identity of each connection that is given up, so that it can be ended.
  void on_given_up(std::function<void(std::string_view)> cut) { cut_ = std::move(cut); }
  /// To be called when the connection has ended: drops what is held for it, which must not reach another
  /// connection with that identity.
  void forget(std::string_view identity);

  /// Whether messages are kept for any connection.
  bool holding() const { return holding_ > 0; }
  /// Whether nothing is kept, no connection is given up, and none can be slow.
  bool quiet() const { return holding_ == 0 && given_up_ == 0 && total_ <= mark(); }

 private:
  // A watched message in libzmq; the payload lives until libzmq releases it.
  struct Sent {
    std::weak_ptr<net::Frame> payload;
    std::size_t bytes;
  };
  struct Peer {
    std::deque<Sent> sent;
    std::deque<std::vector<net::Frame>> held;
    std::size_t bytes = 0;  // of both
    bool given_up = false;  // and no longer in the total

    bool idle() const { return sent.empty() && held.empty(); }
  };
  using Peers = std::unordered_map<std::string, Peer, core::KeyedHash, std::equal_to<>>;

  std::size_t mark() const { return limits_.connection / 4; }
  std::string_view connection_of(const net::Frame& first) const;
  Peer* find(const net::Frame& first);
  net::Sent send(std::span<net::Frame> frames);
  Delivery hold(std::span<net::Frame> frames);
  bool admits(const net::Frame& first, std::size_t bytes);
  void make_room(std::size_t bytes);
  void give_up(Peers::value_type& entry);
  void drop_held(Peer& peer);
  void add(Peer& peer, std::size_t bytes);
  void subtract(Peer& peer, std::size_t bytes);
  void settle(Peer& peer);
  bool send_held(Peer& peer);
  void retry();
  void rearm();

  net::Socket& socket_;
  SendQueueLimits limits_;
  Peers peers_;  // by the outermost identity: one pipe each
  net::Timer retry_;
  std::function<void(std::string_view)> cut_ = [](std::string_view) {};
  std::size_t total_ = 0;      // bytes of the peers that are not given up
  std::size_t holding_ = 0;    // peers with something held
  std::size_t given_up_ = 0;   // number of given-up peers
  std::size_t unwatched_ = 0;  // bytes sent since the last watched message
  core::milliseconds patience_{1};
  bool sweeping_ = false;  // the timer is armed only to free memory
};

}  // namespace zerosuite::rpc
