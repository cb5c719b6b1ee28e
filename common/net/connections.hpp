// Which connection each identity of a bound ROUTER stands for, and when it ends.
//
// An identity alone names nobody for long: when a client leaves, libzmq gives its name to the next that
// claims it. So each message carries its connection's number (see gate.hpp), and an identity belongs to that
// number until its connection has ended.
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

/// Belongs to the loop's thread, and to one ROUTER, which it must not outlive and which tells it of every
/// message and asks it before each send. Peers over inproc, and those that the ROUTER dialed before it was
/// bound, have no number: for them it knows no end and no limit.
class Connections {
 public:
  using Gone = std::function<void(std::string_view identity)>;

  Connections(Context& context, Reactor& reactor, Socket& router);
  ~Connections();
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  /// Calls `gone(identity)` for each connection that has ended after it was heard: whatever belongs to the
  /// identity belongs to nobody now, and must be dropped. Called by the loop a few milliseconds after the
  /// end, when what the connection sent last has been received; or, when somebody else speaks under the
  /// identity, while that message is received. Never inside a send.
  void on_gone(Gone gone) { gone_ = std::move(gone); }
  /// Ends a connection of which more memory is filled by what waits to be received; and the one of which most
  /// is, when that is too much of all. Looked at as it is served and every 100 ms.
  void set_max_unread(std::size_t of_one, std::size_t of_all) {
    max_unread_ = of_one;
    max_unread_total_ = of_all;
  }

  /// Ends the connection that last spoke under the identity; nothing for one without number.
  void cut(std::string_view identity);

  /// Learns which connections have come and ended by now.
  void catch_up();
  /// Ends the connections, of that address or of any, which were there at `since` and never said anything.
  void end_silent(core::TimePoint since, std::string_view address);

  /// The router has received this message, and more frames of it that weighed so much (see arrivals.hpp); or
  /// nothing. Answers whether it is wanted: what a connection has sent that was ended because too much of it
  /// waited is not.
  [[nodiscard]] bool heard(const std::vector<Frame>& frames, std::uint64_t dropped);
  void heard_nothing();
  /// Whether what is sent to `identity` now would reach the connection that last spoke under it.
  bool reaches(std::string_view identity);

 private:
  // What was heard of.
  struct Peer {
    std::uint64_t number = 0;
    std::string identity;
    int fd = -1;
    std::uint64_t taken = 0;  // the weight of what was received of it
    std::uint32_t unchecked = 0;
  };
  // A descriptor that libzmq has opened and not closed.
  struct Live {
    std::uint64_t least = 0;  // the connection's number is not below
    core::TimePoint since;
    std::string address;   // empty if the gate does not count it
    Peer* peer = nullptr;  // once it was heard
    bool weighed = false;  // what is read of it
    bool ended = false;    // for what it sent, which is not served any more
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
  std::uint64_t checked_ = 0;  // what was read of all when all were checked
  std::unordered_map<int, Live> live_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Peer>> peers_;  // by number
  std::unordered_map<std::string_view, Peer*, core::KeyedHash, std::equal_to<>> names_;
  std::deque<Departed> departed_;   // of whom nobody was told yet, in order of time
  Peer* speaker_ = nullptr;         // of the last message
  Peer* reached_ = nullptr;         // whom our last message went to: the next often goes there too
  std::string speaking_;            // whose message is being worked on
  std::uint64_t turn_ = 0;          // in which that was received
  std::uint64_t checked_turn_ = 0;  // in which the monitor was last caught up with
  bool emptied_ = true;             // there was no other after it
  bool unnumbered_ = false;         // there is a peer without number
  bool stale_ = true;               // a message was received since
  std::vector<int> arrived_;
  bool turned_away_ = false;
  std::unordered_set<std::uint64_t> unwanted_;  // numbers of the ended, until their end is told
  Timer tell_;
  Timer admit_;
  Timer look_;
  Monitor monitor_;
};

}  // namespace zerosuite::net
