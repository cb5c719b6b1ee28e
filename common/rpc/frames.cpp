#include "rpc/frames.hpp"

#include <cstdlib>

namespace zerosuite::rpc {

net::Frame to_frame(wire::Buffer& payload) {
  constexpr std::size_t kCopied = 16 << 10;
  const std::size_t size = payload.size();
  if (size <= kCopied) return {payload.data(), size};
  return {payload.release(), size, [](void* data, void*) { std::free(data); }};
}

void FrameIntake::drain(net::Socket& socket, const FrameReceiver& receiver) {
  constexpr int kMessagesATurn = 64;  // one loud peer must not keep timers and other sockets waiting
  for (int taken = 0; taken < kMessagesATurn; ++taken) {
    if (socket.receive(frames_) == net::Received::kNone) return;
    views_.clear();
    for (const net::Frame& frame : frames_) views_.emplace_back(frame.data<char>(), frame.size());
    receiver(views_);
  }
}

}  // namespace zerosuite::rpc
