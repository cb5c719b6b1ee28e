// Tracks which connection each identity of a bound ROUTER stands for, and when that connection ends.
//
// An identity alone does not identify a connection: after a client leaves, libzmq gives its identity to the
// next client that claims it. So each message carries its connection's number (see gate.hpp), and an identity
// belongs to that number until its connection has ended.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/keyed_hash.hpp"
#include "net/gate.hpp"
#include "net/monitor.hpp"
#include "net/timers.hpp"

namespace zerosuite::net {

/// Loop thread only. Belongs to one ROUTER, which must outlive it and which reports every message to it and
/// asks it before each send. Peers over inproc, and peers the ROUTER dialed before it was bound, have no
/// number: their end is not reported and no limit applies to them.
class Connections {
 public:
  using Gone = std::function<void(std::string_view identity)>;

  Connections(Context& context, Reactor& reactor, Socket& router);
  ~Connections();
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  /// Calls `gone(identity)` for each connection that sent a message and has ended: all state kept for the
  /// identity must be dropped. Called by the loop a few milliseconds after the end, once the connection's
  /// last messages have been received; or, when another connection uses the identity, while its message is
  /// received. Never inside a send.
  void on_gone(Gone gone) { gone_ = std::move(gone); }
  /// Limits the memory filled by messages that wait to be received, in bytes. A connection above `of_one` is
  /// ended; above `of_all` in total, the connection with the most is ended. Checked as connections are served
  /// and every 100 ms.
  void set_max_unread(std::size_t of_one, std::size_t of_all) {
    max_unread_ = of_one;
    max_unread_total_ = of_all;
  }

  /// Ends the connection that last used the identity. Does nothing for a peer without a number.
  void cut(std::string_view identity);

  /// Takes note of all connections that have started or ended so far.
  void catch_up();
  /// Ends the connections from `address`, or from any address when it is empty, that were open at `since` and
  /// have never sent a message.
  void end_silent(core::TimePoint since, std::string_view address);

  /// Records a message the router has received, of which further frames of weight `dropped` (see
  /// arrivals.hpp) were thrown away. Returns whether the message is to be served: false when its connection
  /// was ended for having too much unread.
  [[nodiscard]] bool heard(const std::vector<Frame>& frames, std::uint64_t dropped);
  /// Records that the router has no further message now.
  void heard_nothing();
  /// Whether a message sent to `identity` now would reach the connection that last used it.
  bool reaches(std::string_view identity);

 private:
  // A connection that has sent a message.
  struct Peer {
    std::uint64_t number = 0;
    std::string identity;
    int fd = -1;
    std::uint64_t taken = 0;  // weight of the messages received from it
    std::uint32_t unchecked = 0;
  };
  // A descriptor that libzmq has opened and not closed.
  struct Live {
    std::uint64_t least = 0;  // lower bound of the connection's number
    core::TimePoint since;
    std::string address;   // empty if the gate does not count it
    Peer* peer = nullptr;  // set once it has sent a message
    bool weighed = false;  // whether what is read from it is weighed
    bool ended = false;    // for having too much unread; its messages are no longer served
  };
  struct Departed {
    std::string identity;
    std::uint64_t number;
    core::TimePoint since;
    std::uint64_t turn;
  };

  void changed(Connection change, int fd);
  void failed(int error);
  void admit_arrived();
  Peer* meet(std::string_view identity, const Frame& payload, std::uint64_t number);
  void forget(Peer& peer);
  void departed(std::string identity, std::uint64_t number);
  bool has_departed(std::uint64_t number) const;
  void tell(std::string_view identity);
  void tell_gone();
  bool is_complete(const Departed& departed) const;
  bool emptied() const { return emptied_ || turn_ != reactor_.turns(); }
  void account(Peer& peer, const std::vector<Frame>& frames, std::uint64_t dropped);
  void look();
  void check_all();
  std::uint64_t unread(int fd, const Live& live) const;
  void end_unread(int fd, Live& live, Refusal why);

  Reactor& reactor_;
  Gate& gate_;
  Socket& router_;
  Gone gone_ = [](std::string_view) {};
  std::uint64_t max_unread_;
  std::uint64_t max_unread_total_;
  std::uint64_t checked_ = 0;  // total weight read at the last check of all
  std::unordered_map<int, Live> live_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Peer>> peers_;  // by number
  std::unordered_map<std::string_view, Peer*, core::KeyedHash, std::equal_to<>> names_;
  std::deque<Departed> departed_;   // not reported yet, in order of time
  Peer* speaker_ = nullptr;         // sender of the last message
  Peer* reached_ = nullptr;         // receiver of our last message; the next often has the same
  std::string speaking_;            // identity whose message is being processed
  std::uint64_t turn_ = 0;          // turn in which that message was received
  std::uint64_t checked_turn_ = 0;  // turn of the last catch_up()
  bool emptied_ = true;             // the router had no further message after it
  bool unnumbered_ = false;         // some peer has no number
  bool stale_ = true;               // a message was received since the last catch_up()
  std::vector<int> arrived_;
  bool turned_away_ = false;
  std::unordered_set<std::uint64_t> unwanted_;  // ended for too much unread, end not yet reported
  Timer tell_;
  Timer admit_;
  Timer look_;
  Monitor monitor_;
};

}  // namespace zerosuite::net
