// Whom the bound sockets let in: libzmq asks before each connection is given a pipe (ZAP, ZeroMQ RFC 27).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "net/reactor.hpp"
#include "net/socket.hpp"

namespace zerosuite::net {

class Connections;

/// Belongs to the loop's thread; one for each Context, which makes it before the first bind. Today it admits
/// everybody who speaks ZMTP 3, and numbers the connections: address rules and CURVE keys belong here. That
/// it is asked at all keeps ZMTP 1 and 2 out, and with them HTTP, which libzmq takes for ZMTP 1. A connection
/// over inproc is not asked about.
class Gate {
 public:
  Gate(Context& context, Reactor& reactor);
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  /// Lets the gate be asked about every connection to what `socket` binds from now on, and of what it dials;
  /// without an answer nobody comes in. Throws zmq::error_t when libzmq cannot promise that.
  static void guard(zmq::socket_t& socket);

  /// No connection has had this number yet; they rise.
  std::uint64_t next_number() const { return next_; }
  /// The number that the gate gave to the connection a message came by, of its payload frame (the first frame
  /// of a polled ROUTER's message says nothing in libzmq 4.3.4). 0 when it was never asked.
  static std::uint64_t number_of(const Frame& payload);

  /// Before a connection gets its number, `connections` learn which others have ended.
  void add(Connections& connections) { all_.push_back(&connections); }
  void remove(Connections& connections);

 private:
  void answer_all();
  void answer(const std::vector<Frame>& asked);

  Socket socket_;
  std::uint64_t next_ = 1;
  std::vector<Connections*> all_;
  std::vector<Frame> asked_;
  Reactor::Watch watch_;
};

}  // namespace zerosuite::net
