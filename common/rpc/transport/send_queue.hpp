// What a socket's peers do not take yet: counted in bytes, kept in order, connection by connection, and
// offered again.
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

/// How much may be on its way.
struct SendQueueLimits {
  SendQueueLimits(std::size_t its_connection, std::size_t its_total = std::numeric_limits<std::size_t>::max())
      : connection(its_connection), total(its_total) {}

  std::size_t connection;  ///< Bytes for one connection; beyond them it is given up.
  std::size_t total;       ///< For all of them; beyond it the one with the most is given up.
  /// A message is watched each time this many bytes have gone out, and stands for those.
  std::size_t watched = 16 << 10;
};

/// Belongs to the loop's thread. A connection that stops reading holds up nobody else: libzmq keeps its
/// high-water mark of messages, and this what comes after. Both are counted, since libzmq's mark knows
/// nothing of sizes: what was sent stays counted until libzmq lets go of it. To watch a message costs as much
/// as to send it, so of small ones one is watched for each 16 KiB that go out, and stands for the others.
class SendQueue {
 public:
  SendQueue(net::Timers& timers, net::Socket& socket, const SendQueueLimits& limits);

  /// Sends, or keeps what the connection does not take. kHeld also when it was sent, but the connection has
  /// more than its mark, a quarter of the limit, before it. kGone when nobody is there, or when the
  /// connection is given up: all that was kept for it is dropped, and it stays gone until what is
  /// watched of it was read. Taken frames are left empty.
  Delivery forward(std::span<net::Frame> frames);
  /// Sends if the connection takes it now, and otherwise leaves the frames as they are. kFull also while
  /// something is kept for the connection, since nothing overtakes that.
  net::Sent attempt(std::span<net::Frame> frames);

  enum class Standing : std::uint8_t {
    kReads,
    kSlow,     ///< Has more than its mark before it.
    kGivenUp,  ///< Did not read; see forward().
  };
  /// Of the connection that a message with that first frame came by or would go to.
  Standing standing(const net::Frame& first);
  void give_up(const net::Frame& first);
  /// Calls `cut` for each connection that is given up, by its identity, so that it can be ended.
  void on_given_up(std::function<void(std::string_view)> cut) { cut_ = std::move(cut); }
  /// The connection has ended: what is held for it must not reach another of that identity.
  void forget(std::string_view identity);

  /// Whether something is kept for any connection.
  bool holding() const { return holding_ > 0; }
  /// Whether nothing is kept for anybody, nobody is given up, and nobody can be slow.
  bool quiet() const { return holding_ == 0 && given_up_ == 0 && total_ <= mark(); }

 private:
  // One that libzmq has; the payload is alive as long as it does.
  struct Sent {
    std::weak_ptr<net::Frame> payload;
    std::size_t bytes;
  };
  struct Peer {
    std::deque<Sent> sent;
    std::deque<std::vector<net::Frame>> held;
    std::size_t bytes = 0;  // of both
    bool given_up = false;  // and not in the total any more

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
  std::size_t given_up_ = 0;   // peers that are
  std::size_t unwatched_ = 0;  // bytes that were sent since a message was watched
  core::milliseconds patience_{1};
  bool sweeping_ = false;  // the timer is armed for the memory alone
};

}  // namespace zerosuite::rpc
