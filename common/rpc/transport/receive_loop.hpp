// Conversions between encoded events and ZeroMQ frames, and receiving in turns.
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

/// Makes a frame of the buffer's bytes. A small payload is copied, so that the buffer's memory is reused; a
/// large one takes the memory over.
net::Frame to_frame(wire::Buffer& payload);

/// The total size of the frames, in bytes.
std::size_t size_of(std::span<const net::Frame> message);
/// Approximate memory of a message that is kept, in bytes.
std::size_t cost_of(std::span<const net::Frame> message);

/// Receives one message's frames, and may take them.
using MessageReceiver = std::function<void(std::vector<net::Frame>& frames)>;
/// The same with views, valid during the call.
using FrameReceiver = std::function<void(std::span<const std::string_view> frames)>;
/// Makes a MessageReceiver that passes the frames to `receiver` as views.
MessageReceiver by_view(FrameReceiver receiver);

/// Adds the envelope's identities, outermost first.
void append_identities(std::vector<net::Frame>& frames, const wire::Envelope& envelope);

/// A short name for a call: a keyed hash of the client's whole return path and the encoded id. Needs no
/// allocation, and no peer can construct a collision. Odd, so never 0.
std::uint64_t name_of_call(const wire::Envelope& client, std::string_view id);

/// Takes one turn's worth of messages off a socket: 64, or as many as take ten milliseconds, so that
/// heartbeats go out between heavy messages. Sets the timers' time before each message: the process may be
/// paused between two of them, and a lease that the second extends must not begin before that message was
/// sent.
class ReceiveLoop {
 public:
  static constexpr int kMessagesATurn = 64;
  static constexpr core::milliseconds kTurn{10};

  explicit ReceiveLoop(net::Timers& timers) : timers_(timers) {}

  /// Passes one turn's worth to `receiver`. Returns whether there may be more.
  bool drain(net::Socket& socket, const MessageReceiver& receiver) {
    return drain(socket, receiver, [] { return true; });
  }
  /// The same while `wanted`, which is called before each message, returns true.
  bool drain(net::Socket& socket, const MessageReceiver& receiver, const std::function<bool()>& wanted);

 private:
  net::Timers& timers_;
  std::vector<net::Frame> frames_;  // kept for their memory
};

}  // namespace zerosuite::rpc
