// Which connection each identity of a bound ROUTER stands for, and when it ends.
//
// An identity alone names nobody for long: when a client leaves, libzmq gives its name to the next that
// claims it. So each message carries its connection's number (see gate.hpp), and an identity belongs to that
// number until its connection has ended.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/keyed_hash.hpp"
#include "net/gate.hpp"
#include "net/monitor.hpp"
#include "net/timers.hpp"

namespace zerosuite::net {

/// Belongs to the loop's thread, and to one ROUTER, which it must not outlive and which tells it of every
/// message and asks it before each send. Peers over inproc, and those that the ROUTER dialed before it was
/// bound, have no number: for them it knows no end.
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

  /// Learns which connections have ended by now.
  void catch_up();

  /// The router has received this message; or, without frames, nothing.
  void heard(const std::vector<Frame>& frames);
  void heard_nothing();
  /// Whether what is sent to `identity` now would reach the connection that last spoke under it.
  bool reaches(std::string_view identity);

 private:
  // What was heard of.
  struct Peer {
    std::uint64_t number = 0;
    std::string identity;
    int fd = -1;
  };
  // A descriptor that libzmq has opened and not closed.
  struct Live {
    std::uint64_t least = 0;  // the connection's number is not below
    Peer* peer = nullptr;     // once it was heard
  };
  struct Departed {
    std::string identity;
    std::uint64_t number;
    core::TimePoint since;
    std::uint64_t turn;
  };

  void changed(Connection change, int fd);
  bool meet(std::string_view identity, const Frame& payload, std::uint64_t number);
  void forget(Peer& peer);
  void departed(std::string identity, std::uint64_t number);
  bool has_departed(std::uint64_t number) const;
  void tell(std::string_view identity);
  void tell_gone();
  bool is_complete(const Departed& departed) const;
  bool emptied() const { return emptied_ || turn_ != reactor_.turns(); }

  Reactor& reactor_;
  Gate& gate_;
  Socket& router_;
  Gone gone_ = [](std::string_view) {};
  std::unordered_map<int, Live> live_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Peer>> peers_;  // by number
  std::unordered_map<std::string_view, Peer*, core::KeyedHash, std::equal_to<>> names_;
  std::deque<Departed> departed_;   // of whom nobody was told yet, in order of time
  std::uint64_t last_ = 0;          // the number of the last message
  std::string speaking_;            // whose message is being worked on
  std::uint64_t turn_ = 0;          // in which that was received
  std::uint64_t checked_turn_ = 0;  // in which the monitor was last caught up with
  bool emptied_ = true;             // there was no other after it
  bool unnumbered_ = false;         // there is a peer without number
  bool stale_ = true;               // a message was received since
  Timer tell_;
  Monitor monitor_;
};

}  // namespace zerosuite::net
