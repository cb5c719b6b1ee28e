// Fair receiving from a connection that many clients share: a proxy's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/rotation.hpp"
#include "net/socket.hpp"
#include "net/timers.hpp"
#include "rpc/transport/receive_loop.hpp"
#include "wire/envelope.hpp"
#include "wire/event.hpp"

namespace zerosuite::rpc {

/// The receiver of the messages.
struct IntakeHost {
  MessageReceiver receive;
  std::function<bool()> wanted;     ///< Whether one more message may be received now; called before each.
  std::function<void()> caught_up;  ///< No message waits here any more.
};

struct FairIntakeOptions {
  /// Limit on the messages that wait here; beyond it no more are taken off the socket. 0 = serve everything
  /// in order of arrival.
  std::size_t max_waiting_bytes = 0;
  /// Sorting begins only after a turn's worth has taken longer than this.
  core::Clock::duration quick = core::milliseconds(1);
};

/// Serves messages in order of arrival while that is quick. When it is not, it reads on, sorts the messages
/// by client (the outermost identity), and serves the clients in turn, so that one client's heavy calls do
/// not hold up another's. One client's messages keep their order, except that a cancel is handled at once: if
/// its call still waits, both are dropped. Heartbeats of a client with nothing waiting, and messages without
/// a client, are passed on at once too. Loop thread only.
class FairIntake {
 public:
  FairIntake(net::Timers& timers, net::Socket& socket, IntakeHost host, const FairIntakeOptions& options);

  /// To be called when the socket is readable: serves a turn's worth, or sorts what there is.
  void read();
  /// Receives and serves everything, up to a bound: the last messages of a connection that has ended.
  void read_up();
  /// Whether messages wait here.
  bool behind() const { return !line_.empty(); }
  /// Whether read() would take more off the socket.
  bool has_room() const { return line_.empty() || bytes_ < options_.max_waiting_bytes; }

 private:
  struct Message {
    std::vector<net::Frame> frames;
    std::uint64_t call;  // name_of_call() of the call it opens; 0 = none
    std::size_t bytes;
  };
  using Line = core::Rotation<std::string, Message>;

  bool falls_behind();
  void sort();
  void place(std::vector<net::Frame>& frames);
  void push(std::vector<net::Frame>& frames, std::uint64_t call);
  bool withdraw(std::uint64_t call, std::string_view client);
  std::uint64_t name_of(std::span<const net::Frame> identities, std::string_view id);
  void serve();
  void serve_turn();
  void go_on();

  net::Timers& timers_;
  net::Socket& socket_;
  IntakeHost host_;
  FairIntakeOptions options_;
  ReceiveLoop intake_{timers_};
  Line line_;
  std::unordered_map<std::uint64_t, Line::Place> calls_;  // those waiting, by name
  std::size_t bytes_ = 0;                                 // of the waiting messages
  std::vector<net::Frame> frames_;                        // kept for its memory
  wire::Envelope envelope_;                               // the same
  net::Timer turn_{timers_, [this] { serve(); }};
};

}  // namespace zerosuite::rpc
