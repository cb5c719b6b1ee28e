#include "rpc/transport/send_queue.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "rpc/transport/receive_loop.hpp"

namespace zerosuite::rpc {
namespace {

using namespace std::chrono_literals;

// A ROUTER cannot be polled for room in one client's pipe, so sending is retried: soon after a success, and
// less often while no peer reads, so that the retries themselves do not load the loop.
constexpr core::milliseconds kSoon = 1ms;
constexpr core::milliseconds kSeldom = 16ms;
constexpr core::milliseconds kSweep = 1s;  // when nothing is held, only to free memory
constexpr std::size_t kAskedEachMs = 50;

// A payload that libzmq reads in place and whose lifetime shows whether libzmq still has it. libzmq releases
// it in its own thread, which the atomic counters of shared_ptr allow.
struct Watched {
  explicit Watched(net::Frame& frame) : payload(std::make_shared<net::Frame>(std::move(frame))) {
    frame = net::Frame(payload->data(), payload->size(), &let_go, new std::shared_ptr<net::Frame>(payload));
  }
  static void let_go(void* /*data*/, void* hint) { delete static_cast<std::shared_ptr<net::Frame>*>(hint); }
  // Restores `frame` to its state before. The frame offered to libzmq is destroyed here: moving a message is
  // a swap, and moved into the payload it would keep itself alive.
  void put_back(net::Frame& frame) const {
    net::Frame original(std::move(*payload));
    frame.swap(original);
  }

  std::shared_ptr<net::Frame> payload;
};

}  // namespace

SendQueue::SendQueue(net::Timers& timers, net::Socket& socket, const SendQueueLimits& limits)
    : socket_(socket), limits_(limits), retry_(timers, [this] { retry(); }) {}

Delivery SendQueue::forward(std::span<net::Frame> frames) {
  const bool plain = quiet() && frames.back().size() < limits_.watched;
  const Peer* const peer = plain ? nullptr : find(frames.front());
  if (peer != nullptr && peer->given_up) return Delivery::kGone;
  if (peer != nullptr && !peer->held.empty()) return hold(frames);
  if (!plain && !admits(frames.front(), size_of(frames))) return Delivery::kGone;
  const bool slow = peer != nullptr && peer->bytes > mark();
  switch (send(frames)) {
    case net::Sent::kYes:
      return slow ? Delivery::kHeld : Delivery::kSent;
    case net::Sent::kGone:
      return Delivery::kGone;
    case net::Sent::kFull:
      break;
  }
  return hold(frames);
}

net::Sent SendQueue::attempt(std::span<net::Frame> frames) {
  const Peer* const peer = quiet() ? nullptr : find(frames.front());
  if (peer != nullptr && peer->given_up) return net::Sent::kGone;
  if (peer != nullptr && (!peer->held.empty() || peer->bytes > mark())) return net::Sent::kFull;
  return send(frames);
}

SendQueue::Standing SendQueue::standing(const net::Frame& first) {
  const Peer* const peer = find(first);
  if (peer == nullptr) return Standing::kReads;
  if (peer->given_up) return Standing::kGivenUp;
  return peer->bytes > mark() ? Standing::kSlow : Standing::kReads;
}

void SendQueue::give_up(const net::Frame& first) {
  const auto [entry, added] = peers_.try_emplace(std::string(connection_of(first)));
  if (!entry->second.given_up) give_up(*entry);
  rearm();
}

void SendQueue::forget(std::string_view identity) {
  const auto entry = peers_.find(identity);
  if (entry == peers_.end()) return;
  drop_held(entry->second);
  entry->second.given_up ? given_up_ -= 1 : total_ -= entry->second.bytes;
  peers_.erase(entry);
}

// A socket whose messages carry no identity has one peer.
std::string_view SendQueue::connection_of(const net::Frame& first) const {
  return socket_.names_peers() ? first.to_string_view() : std::string_view();
}

SendQueue::Peer* SendQueue::find(const net::Frame& first) {
  if (peers_.empty()) return nullptr;
  const auto entry = peers_.find(connection_of(first));
  if (entry == peers_.end()) return nullptr;
  settle(entry->second);
  return &entry->second;
}

net::Sent SendQueue::send(std::span<net::Frame> frames) {
  const std::size_t size = size_of(frames);
  const bool alone = size >= limits_.watched;  // it represents only itself
  if (!alone && unwatched_ + size < limits_.watched) {
    const net::Sent sent = socket_.send(frames);
    if (sent == net::Sent::kYes) unwatched_ += size;
    return sent;
  }
  const std::size_t bytes = alone ? size : unwatched_ + size;
  const std::string connection(connection_of(frames.front()));
  const Watched watched(frames.back());
  const net::Sent sent = socket_.send(frames);
  if (sent == net::Sent::kYes) {
    if (!alone) unwatched_ = 0;
    Peer& peer = peers_[connection];
    peer.sent.push_back({watched.payload, bytes});
    add(peer, bytes);
    rearm();
  } else {
    watched.put_back(frames.back());
  }
  return sent;
}

Delivery SendQueue::hold(std::span<net::Frame> frames) {
  const std::size_t bytes = cost_of(frames);
  if (!admits(frames.front(), bytes)) return Delivery::kGone;
  Peer& peer = peers_[std::string(connection_of(frames.front()))];
  if (peer.held.empty()) ++holding_;
  peer.held.emplace_back(std::make_move_iterator(frames.begin()), std::make_move_iterator(frames.end()));
  add(peer, bytes);
  rearm();
  return Delivery::kHeld;
}

// Gives connections up as needed to make room; returns false when it gives up this one. A connection with
// nothing outstanding always has room, even for a message longer than the limit.
bool SendQueue::admits(const net::Frame& first, std::size_t bytes) {
  if (total_ + bytes > limits_.total) make_room(bytes);
  if (peers_.empty()) return true;
  const auto entry = peers_.find(connection_of(first));
  if (entry == peers_.end()) return true;
  const Peer& peer = entry->second;
  if (!peer.given_up && peer.bytes > 0 && peer.bytes + bytes > limits_.connection) give_up(*entry);
  return !peer.given_up;
}

void SendQueue::make_room(std::size_t bytes) {
  for (auto& [connection, peer] : peers_) settle(peer);
  const auto counted = [](const Peers::value_type& entry) {
    return entry.second.given_up ? 0 : entry.second.bytes;
  };
  while (total_ > 0 && total_ + bytes > limits_.total) {
    give_up(*std::max_element(peers_.begin(), peers_.end(), [&](const auto& left, const auto& right) {
      return counted(left) < counted(right);
    }));
  }
}

void SendQueue::give_up(Peers::value_type& entry) {
  auto& [connection, peer] = entry;
  drop_held(peer);
  total_ -= peer.bytes;
  peer.given_up = true;
  ++given_up_;
  cut_(connection);
}

void SendQueue::drop_held(Peer& peer) {
  if (peer.held.empty()) return;
  for (const auto& message : peer.held) subtract(peer, cost_of(message));
  peer.held.clear();
  --holding_;
}

void SendQueue::add(Peer& peer, std::size_t bytes) {
  peer.bytes += bytes;
  total_ += bytes;
}

void SendQueue::subtract(Peer& peer, std::size_t bytes) {
  peer.bytes -= bytes;
  if (!peer.given_up) total_ -= bytes;
}

// libzmq releases a pipe's messages in order.
void SendQueue::settle(Peer& peer) {
  while (!peer.sent.empty() && peer.sent.front().payload.expired()) {
    subtract(peer, peer.sent.front().bytes);
    peer.sent.pop_front();
  }
}

// Returns whether any could be sent.
bool SendQueue::send_held(Peer& peer) {
  const std::size_t before = peer.held.size();
  while (!peer.held.empty()) {
    std::vector<net::Frame>& message = peer.held.front();
    const std::size_t bytes = cost_of(message);
    const net::Sent sent = send(message);
    if (sent == net::Sent::kFull) break;
    if (sent == net::Sent::kGone) {
      drop_held(peer);
      break;
    }
    subtract(peer, bytes);
    peer.held.pop_front();
    if (peer.held.empty()) --holding_;
  }
  return peer.held.size() < before;
}

void SendQueue::retry() {
  sweeping_ = false;
  bool moved = false;
  for (auto entry = peers_.begin(); entry != peers_.end();) {
    Peer& peer = entry->second;
    moved = send_held(peer) || moved;
    settle(peer);
    if (!peer.idle()) {
      ++entry;
      continue;
    }
    given_up_ -= peer.given_up ? 1 : 0;
    entry = peers_.erase(entry);
  }
  patience_ = moved ? kSoon : std::min(2 * patience_, kSeldom);
  retry_.cancel();  // sending a message may have armed it for later
  rearm();
}

void SendQueue::rearm() {
  if (holding_ == 0) {
    if (!peers_.empty() && !retry_.armed()) {
      retry_.after(kSweep);
      sweeping_ = true;
      patience_ = kSoon;
    }
  } else if (!retry_.armed() || sweeping_) {
    sweeping_ = false;
    retry_.after(patience_ + core::milliseconds(peers_.size() / kAskedEachMs));
  }
}

}  // namespace zerosuite::rpc
