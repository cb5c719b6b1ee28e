// Whom the bound sockets let in: libzmq asks before each connection is given a pipe (ZAP, ZeroMQ RFC 27).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/keyed_hash.hpp"
#include "net/options.hpp"
#include "net/reactor.hpp"
#include "net/socket.hpp"

namespace zerosuite::net {

class Connections;

/// Why a connection is ended that has done no wrong but being there.
enum class Refusal : std::uint8_t {
  kConnections,  ///< There are as many as there may be.
  kAddress,      ///< The same of its address.
  kDescriptors,  ///< Nine of ten descriptors that the process may have are in use.
  kUnread,       ///< It sends faster than it is served, and what waits is too much.
  kUnreadTotal,  ///< What waits of all is too much, and most of it is its.
};
std::string_view describe(Refusal refusal);

/// What is told of refusals: the first, and, when none has followed for ten seconds, that they are over.
struct Refusals {
  Refusal first{};
  std::string address;      ///< Of the first.
  std::uint64_t count = 0;  ///< Of all since the first; 0 as long as they are not over.
};

/// Belongs to the loop's thread; one for each Context, which makes it before the first bind. It admits every
/// peer that speaks ZMTP 3 as long as there is room, and numbers the connections. That it is asked at all
/// keeps ZMTP 1 and 2 out, and with them HTTP, which libzmq takes for ZMTP 1. A connection over inproc is not
/// asked about.
class Gate {
 public:
  Gate(Context& context, Reactor& reactor);
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  /// Lets the gate be asked about every connection to what `socket` binds from now on, and of what it dials;
  /// without an answer nobody comes in. Throws zmq::error_t when libzmq cannot promise that.
  static void guard(zmq::socket_t& socket);

  void set_limits(const GateLimits& limits) { limits_ = limits; }
  /// Calls `told` as Refusals says.
  void on_refusals(std::function<void(const Refusals&)> told) { told_ = std::move(told); }

  /// Counts a connection of that address and descriptor, if there is room for it; otherwise says why not, and
  /// ends connections that never said anything.
  std::optional<Refusal> enter(const std::string& address, int fd);
  void leave(const std::string& address);
  /// libzmq could not take somebody for want of descriptors, nobody knows whom.
  void turned_away();
  void note(Refusal refusal, const std::string& address);

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
  std::optional<Refusal> refusal(const std::string& address, int fd) const;
  void make_room(std::string_view address);
  void calm();

  Timers& timers_;

  Socket socket_;
  std::uint64_t next_ = 1;
  std::vector<Connections*> all_;
  std::vector<Frame> asked_;
  GateLimits limits_;
  int most_descriptors_;
  std::size_t connections_ = 0;
  std::unordered_map<std::string, std::size_t, core::KeyedHash, std::equal_to<>> addresses_;
  core::TimePoint room_made_;
  std::function<void(const Refusals&)> told_ = [](const Refusals&) {};
  Refusals refusals_;
  Timer calm_;
  Reactor::Watch watch_;
};

}  // namespace zerosuite::net
