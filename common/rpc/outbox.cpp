#include "rpc/outbox.hpp"

#include <iterator>
#include <utility>

#include "rpc/frames.hpp"

namespace zerosuite::rpc {
namespace {

using namespace std::chrono_literals;

constexpr auto kRetryEvery = 2ms;  // a ROUTER cannot be polled for room in one client's pipe

}  // namespace

Outbox::Outbox(net::Timers& timers, net::Socket& socket, std::size_t max_bytes)
    : socket_(socket), max_bytes_(max_bytes), retry_(timers, [this] { retry(); }) {}

Delivery Outbox::forward(std::span<net::Frame> frames) {
  switch (attempt(frames)) {
    case net::Sent::kYes:
      return Delivery::kSent;
    case net::Sent::kGone:
      return Delivery::kGone;
    case net::Sent::kFull:
      break;
  }
  return hold(frames);
}

net::Sent Outbox::attempt(std::span<net::Frame> frames) {
  return holds(frames.front()) ? net::Sent::kFull : socket_.send(frames);
}

bool Outbox::holds(const net::Frame& first) const {
  return !held_.empty() && held_.contains(connection_of(first));
}

// A socket that names nobody has one peer.
std::string_view Outbox::connection_of(const net::Frame& first) const {
  return socket_.names_peers() ? first.to_string_view() : std::string_view();
}

Delivery Outbox::hold(std::span<net::Frame> frames) {
  const std::string connection(connection_of(frames.front()));
  Held& held = held_[connection];
  held.bytes += size_of(frames);
  if (held.bytes > max_bytes_) {
    ++overflows_;
    held_.erase(connection);
    return Delivery::kGone;
  }
  held.messages.emplace_back(std::make_move_iterator(frames.begin()), std::make_move_iterator(frames.end()));
  if (!retry_.armed()) retry_.after(kRetryEvery);
  return Delivery::kHeld;
}

void Outbox::retry() {
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
