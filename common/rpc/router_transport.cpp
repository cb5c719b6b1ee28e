#include "rpc/router_transport.hpp"

#include <utility>

namespace zerosuite::rpc {
namespace {

using namespace std::chrono_literals;

constexpr auto kRetryEvery = 2ms;  // a ROUTER cannot be polled for room in one client's pipe

std::size_t size_of(const std::vector<net::Frame>& message) {
  std::size_t bytes = 0;
  for (const net::Frame& frame : message) bytes += frame.size();
  return bytes;
}

}  // namespace

RouterTransport::RouterTransport(zmq::context_t& context, net::Reactor& reactor, const RouterOptions& options)
    : reactor_(reactor),
      socket_(context, zmq::socket_type::router, options.socket),
      max_held_bytes_(options.max_held_bytes),
      retry_(reactor.timers(), [this] { retry(); }) {}

void RouterTransport::start(FrameReceiver receiver) {
  receiver_ = std::move(receiver);
  watch_ = reactor_.watch(socket_.ref(), [this] { intake_.drain(socket_, receiver_); });
}

Delivery RouterTransport::send(const wire::Envelope& peer, wire::Buffer& payload) {
  outgoing_.clear();
  peer.for_each(
      [this](std::string_view identity) { outgoing_.emplace_back(identity.data(), identity.size()); });
  if (outgoing_.empty()) return Delivery::kGone;  // a ROUTER always names the connection
  outgoing_.emplace_back();
  outgoing_.push_back(to_frame(payload));
  if (!held_.empty()) {  // nothing overtakes what is held for the same connection
    const std::string connection = outgoing_.front().to_string();
    if (held_.contains(connection)) return hold(connection);
  }
  switch (socket_.send(outgoing_)) {
    case net::Sent::kYes:
      return Delivery::kSent;
    case net::Sent::kGone:
      return Delivery::kGone;
    case net::Sent::kFull:
      break;
  }
  return hold(outgoing_.front().to_string());
}

Delivery RouterTransport::hold(const std::string& connection) {
  Held& held = held_[connection];
  held.bytes += size_of(outgoing_);
  if (held.bytes > max_held_bytes_) {
    ++stuck_peers_;
    held_.erase(connection);
    return Delivery::kGone;
  }
  held.messages.push_back(std::exchange(outgoing_, std::vector<net::Frame>()));
  if (!retry_.armed()) retry_.after(kRetryEvery);
  return Delivery::kHeld;
}

void RouterTransport::retry() {
  for (auto entry = held_.begin(); entry != held_.end();) {
    auto& [messages, bytes] = entry->second;
    net::Sent sent = net::Sent::kYes;
    while (!messages.empty()) {
      const std::size_t size = size_of(messages.front());
      sent = socket_.send(messages.front());
      if (sent != net::Sent::kYes) break;
      bytes -= size;
      messages.pop_front();
    }
    const bool done = messages.empty() || sent == net::Sent::kGone;
    entry = done ? held_.erase(entry) : std::next(entry);
  }
  if (!held_.empty()) retry_.after(kRetryEvery);
}

}  // namespace zerosuite::rpc
