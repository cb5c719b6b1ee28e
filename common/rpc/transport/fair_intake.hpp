// The messages of a connection that many clients share: a proxy's.
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
  std::function<bool()> wanted;     ///< Whether it takes one more now; asked before each.
  std::function<void()> caught_up;  ///< Nothing waits here any more.
};

struct FairIntakeOptions {
  /// Of messages that wait here, beyond which no more are taken off the socket; 0 = all are served in the
  /// order they came.
  std::size_t max_waiting_bytes = 0;
  /// A turn's worth that takes no longer is no reason to sort what comes after.
  core::Clock::duration quick = core::milliseconds(1);
};

/// Serves what comes in its order as long as that is quick. When it is not, it reads on, sorts what it finds
/// by client, which is the outermost identity, and serves the clients in turn, so that the heavy calls of one
/// hold up none of another. One client's messages keep their order, except that a cancel is heard at once,
/// and takes its call out if that still waits; nobody is told of such a call. Heartbeats of a client of whom
/// nothing waits are heard at once too, and so is what is no client's. Belongs to the loop's thread.
class FairIntake {
 public:
  FairIntake(net::Timers& timers, net::Socket& socket, IntakeHost host, const FairIntakeOptions& options);

  /// The socket has something: a turn's worth of it is served, or all of it sorted.
  void read();
  /// Receives and serves all there is, within reason: what a connection that has ended brought last.
  void read_up();
  /// Whether messages wait here.
  bool behind() const { return !line_.empty(); }
  /// Whether read() would take more off the socket.
  bool has_room() const { return line_.empty() || bytes_ < options_.max_waiting_bytes; }

 private:
  struct Message {
    std::vector<net::Frame> frames;
    std::uint64_t call;  // the name of the one it opens; 0 = none
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
  std::unordered_map<std::uint64_t, Line::Place> calls_;  // those in the line, by name
  std::size_t bytes_ = 0;                                 // of the line
  std::vector<net::Frame> frames_;                        // kept for their memory
  wire::Envelope envelope_;                               // the same
  net::Timer turn_{timers_, [this] { serve(); }};
};

}  // namespace zerosuite::rpc
