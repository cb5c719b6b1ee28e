#include "rpc/transport/receive_loop.hpp"

#include <cstdlib>
#include <utility>

#include "wire/event.hpp"

namespace zerosuite::rpc {

net::Frame to_frame(wire::Buffer& payload) {
  constexpr std::size_t kCopied = 16 << 10;
  const std::size_t size = payload.size();
  if (size <= kCopied) return {payload.data(), size};
  return {payload.release(), size, [](void* data, void*) { std::free(data); }};
}

std::size_t size_of(std::span<const net::Frame> message) {
  std::size_t bytes = 0;
  for (const net::Frame& frame : message) bytes += frame.size();
  return bytes;
}

std::size_t cost_of(std::span<const net::Frame> message) {
  constexpr std::size_t kOverhead = 256;
  return size_of(message) + kOverhead;
}

MessageReceiver by_view(FrameReceiver receiver) {
  return [receiver = std::move(receiver),
          views = std::vector<std::string_view>()](std::vector<net::Frame>& frames) mutable {
    views.clear();
    for (const net::Frame& frame : frames) views.emplace_back(frame.data<char>(), frame.size());
    receiver(views);
  };
}

void append_identities(std::vector<net::Frame>& frames, const wire::Envelope& envelope) {
  envelope.for_each(
      [&frames](std::string_view identity) { frames.emplace_back(identity.data(), identity.size()); });
}

std::uint64_t name_of_call(const wire::Envelope& client, std::string_view id) {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;  // so that client and id are not interchangeable
  return 1 | (kOdd * std::hash<wire::Envelope>()(client) + std::hash<wire::IdKey>()(wire::id_key(id)));
}

bool ReceiveLoop::drain(net::Socket& socket, const MessageReceiver& receiver,
                        const std::function<bool()>& wanted) {
  // One peer must not keep timers and other sockets waiting, neither with many messages nor with heavy ones.
  const core::TimePoint end = core::last_tick() + kTurn;  // accurate to a tick
  const auto in_time = [end](int taken) { return taken == 0 || core::last_tick() < end; };
  for (int taken = 0; taken < kMessagesATurn && in_time(taken) && wanted(); ++taken) {
    if (socket.receive(frames_) == net::Received::kNone) return false;
    timers_.set_now(core::Clock::now());
    receiver(frames_);
  }
  return true;
}

}  // namespace zerosuite::rpc
