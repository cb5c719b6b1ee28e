// Admission of connections to bound sockets: libzmq asks before it gives a connection a pipe (ZAP, ZeroMQ RFC
// 27).
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

/// Why a connection is refused or ended although it broke no rule of the protocol.
enum class Refusal : std::uint8_t {
  kConnections,  ///< The maximum number of connections is open.
  kAddress,      ///< The maximum number from its address is open.
  kDescriptors,  ///< 90% of the process's descriptors are in use.
  kUnread,       ///< It sends faster than it is served, and has too much unread.
  kUnreadTotal,  ///< Too much is unread in total, and it has the most.
};
std::string_view describe(Refusal refusal);

/// What is reported of refusals: the first of a series, and the end of the series when none has followed for
/// ten seconds.
struct Refusals {
  Refusal first{};
  std::string address;      ///< The address refused first.
  std::uint64_t count = 0;  ///< All since the first; 0 until the series is over.
};

/// Loop thread only; one for each Context, which creates it before the first bind. Admits every peer that
/// speaks ZMTP 3 while there is room, and numbers the connections. Using ZAP at all keeps out ZMTP 1 and 2,
/// and with them HTTP, which libzmq takes for ZMTP 1. libzmq does not ask about connections over inproc.
class Gate {
 public:
  Gate(Context& context, Reactor& reactor);
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  /// Makes libzmq ask the gate about every connection that `socket` accepts or dials from now on; without a
  /// reply from the gate a connection is refused. Throws zmq::error_t when libzmq cannot guarantee that.
  static void guard(zmq::socket_t& socket);

  void set_limits(const GateLimits& limits) { limits_ = limits; }
  /// Calls `told` at the start and at the end of a series of refusals; see Refusals.
  void on_refusals(std::function<void(const Refusals&)> told) { told_ = std::move(told); }

  /// Counts a connection with that address and descriptor if there is room for it. Otherwise returns the
  /// reason, and ends connections that have never sent a message.
  std::optional<Refusal> enter(const std::string& address, int fd);
  void leave(const std::string& address);
  /// libzmq could not accept a connection, from an unknown address, because descriptors ran out.
  void turned_away();
  void note(Refusal refusal, const std::string& address);

  /// The number of the next connection; numbers rise and are never reused.
  std::uint64_t next_number() const { return next_; }
  /// The number the gate gave to the connection that sent a message, taken from the payload frame (in libzmq
  /// 4.3.4 the first frame of a polled ROUTER's message does not carry it). 0 when the gate was not asked
  /// about that connection.
  static std::uint64_t number_of(const Frame& payload);

  /// From now on `connections` catches up on ended connections before a new one gets its number.
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
