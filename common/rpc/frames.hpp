// Between encoded events and ZeroMQ frames.
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "net/socket.hpp"
#include "wire/codec.hpp"

namespace zerosuite::rpc {

/// A frame of the buffer's bytes. Small ones are copied, so that the buffer's memory is used again; large
/// ones take the memory over.
net::Frame to_frame(wire::Buffer& payload);

/// Messages as views of their frames, valid during the call.
using FrameReceiver = std::function<void(std::span<const std::string_view> frames)>;

/// Takes messages off a socket, one turn's worth of them, for `receiver`. Holds the frames while it is
/// called.
class FrameIntake {
 public:
  void drain(net::Socket& socket, const FrameReceiver& receiver);

 private:
  std::vector<net::Frame> frames_;  // kept for their memory
  std::vector<std::string_view> views_;
};

}  // namespace zerosuite::rpc
