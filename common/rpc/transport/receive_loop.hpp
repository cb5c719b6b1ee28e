// Between encoded events and ZeroMQ frames.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "net/socket.hpp"
#include "net/timers.hpp"
#include "wire/codec.hpp"
#include "wire/envelope.hpp"

namespace zerosuite::rpc {

/// A frame of the buffer's bytes. Small ones are copied, so that the buffer's memory is used again; large
/// ones take the memory over.
net::Frame to_frame(wire::Buffer& payload);

/// The bytes of all of them.
std::size_t size_of(std::span<const net::Frame> message);
/// About the memory that a message takes that is kept.
std::size_t cost_of(std::span<const net::Frame> message);

/// One message's frames, to be read or to be taken.
using MessageReceiver = std::function<void(std::vector<net::Frame>& frames)>;
/// The same as views, valid during the call.
using FrameReceiver = std::function<void(std::span<const std::string_view> frames)>;
/// Shows `receiver` the frames it is given.
MessageReceiver by_view(FrameReceiver receiver);

/// Adds the envelope's identities, outermost first.
void append_identities(std::vector<net::Frame>& frames, const wire::Envelope& envelope);

/// Stands for a call, the keyed hash of the client's whole way back and the encoded id: it costs no
/// allocation, and nobody can choose two that meet. Odd, so never 0.
std::uint64_t name_of_call(const wire::Envelope& client, std::string_view id);

/// Takes messages off a socket, one turn's worth of them, for `receiver`: 64, or what takes ten
/// milliseconds, so that heartbeats go out between heavy messages. It tells the timers the time before each:
/// the process may be stopped between two of them, and a lease that the second extends must not begin before
/// that was sent.
class ReceiveLoop {
 public:
  static constexpr int kMessagesATurn = 64;
  static constexpr core::milliseconds kTurn{10};

  explicit ReceiveLoop(net::Timers& timers) : timers_(timers) {}

  /// Whether there may be more.
  bool drain(net::Socket& socket, const MessageReceiver& receiver) {
    return drain(socket, receiver, [] { return true; });
  }
  /// The same, as long as one more is `wanted`, which is asked before each.
  bool drain(net::Socket& socket, const MessageReceiver& receiver, const std::function<bool()>& wanted);

 private:
  net::Timers& timers_;
  std::vector<net::Frame> frames_;  // kept for their memory
};

}  // namespace zerosuite::rpc
