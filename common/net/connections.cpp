#include "net/connections.hpp"

#include <algorithm>
#include <utility>

#include "net/context.hpp"

namespace zerosuite::net {

namespace {

using namespace std::chrono_literals;

// What a connection sent last may reach us after its end was told, and must not be lost: a worker that stops
// answers its last calls first. libzmq's thread tells the end a moment before it hands over what it has read
// last; and then we must have time to receive it, unless others send without end.
constexpr auto kLastWords = 10ms;
constexpr std::uint64_t kTurns = 2;
constexpr auto kPatience = 1s;

}  // namespace

Connections::Connections(Context& context, Reactor& reactor, Socket& router)
    : reactor_(reactor),
      gate_(context.gate()),
      router_(router),
      tell_(reactor.timers(), [this] { tell_gone(); }),
      monitor_(context, reactor, router, [this](Connection change, int fd) { changed(change, fd); }) {
  gate_.add(*this);
  router_.watch_over(this);
}

Connections::~Connections() {
  router_.watch_over(nullptr);
  gate_.remove(*this);
}

void Connections::catch_up() {
  monitor_.catch_up();
  stale_ = false;
  checked_turn_ = reactor_.turns();
}

void Connections::changed(Connection change, int fd) {
  const auto found = live_.find(fd);
  if (found != live_.end()) {
    if (found->second.peer != nullptr) forget(*found->second.peer);
    live_.erase(found);
  }
  // The gate numbers nobody before it has looked here, so whoever is numbered already is not this one.
  if (change == Connection::kOpen) live_.emplace(fd, Live{gate_.next_number(), nullptr});
}

void Connections::forget(Peer& peer) {
  names_.erase(peer.identity);  // first: the key is a view of it
  departed(std::move(peer.identity), peer.number);
  if (last_ == peer.number) last_ = 0;
  peers_.erase(peer.number);
}

void Connections::departed(std::string identity, std::uint64_t number) {
  departed_.push_back({std::move(identity), number, reactor_.timers().now(), reactor_.turns()});
  if (!tell_.armed()) tell_.after(kLastWords);
}

bool Connections::has_departed(std::uint64_t number) const {
  return std::any_of(departed_.begin(), departed_.end(),
                     [number](const Departed& each) { return each.number == number; });
}

void Connections::tell(std::string_view identity) {
  if (std::erase_if(departed_, [&](const Departed& each) { return each.identity == identity; }) > 0)
    gone_(identity);
}

void Connections::tell_gone() {
  while (!departed_.empty() && is_complete(departed_.front())) {
    const std::string identity = std::move(departed_.front().identity);
    departed_.pop_front();
    gone_(identity);
  }
  if (!departed_.empty()) tell_.after(kLastWords);
}

// Whether everything that it sent was received.
bool Connections::is_complete(const Departed& departed) const {
  const auto waited = reactor_.timers().now() - departed.since;
  if (waited > kPatience) return true;
  return waited >= kLastWords && reactor_.turns() >= departed.turn + kTurns && emptied();
}

void Connections::heard_nothing() {
  speaking_.clear();
  emptied_ = true;
}

void Connections::heard(const std::vector<Frame>& frames) {
  const std::string_view identity = frames.front().to_string_view();
  const std::uint64_t number = Gate::number_of(frames.back());
  if (number == 0) {
    unnumbered_ = true;
  } else if (number != last_) {
    const bool known = peers_.contains(number) || meet(identity, frames.back(), number);
    last_ = known ? number : 0;
  }
  speaking_ = identity;
  turn_ = reactor_.turns();
  stale_ = true;
  emptied_ = false;
}

bool Connections::meet(std::string_view identity, const Frame& payload, std::uint64_t number) {
  if (has_departed(number)) return false;
  catch_up();
  if (const auto old = names_.find(identity); old != names_.end()) {
    const auto live = live_.find(old->second->fd);
    if (live != live_.end() && live->second.peer == old->second) live->second.peer = nullptr;
    forget(*old->second);
  }
  tell(identity);
  const int fd = ::zmq_msg_get(payload.handle(), ZMQ_SRCFD);
  const auto live = live_.find(fd);
  if (live == live_.end() || live->second.least > number) {
    // It has left already, and its descriptor may be another's. What it said is done, and ends with it.
    departed(std::string(identity), number);
    return false;
  }
  if (live->second.peer != nullptr) forget(*live->second.peer);
  auto peer = std::make_unique<Peer>(Peer{number, std::string(identity), fd});
  live->second.peer = peer.get();
  names_.emplace(peer->identity, peer.get());
  peers_.emplace(number, std::move(peer));
  return true;
}

// Whoever speaks still has its name: libzmq takes a name away only while it reads what comes after. For
// anybody else the monitor must have been read since the router was: a name that is free now was free then,
// and libzmq had told the monitor first.
bool Connections::reaches(std::string_view identity) {
  if (identity == speaking_ && turn_ == reactor_.turns()) return true;
  if (stale_ || checked_turn_ != reactor_.turns()) catch_up();
  return unnumbered_ || names_.contains(identity);
}

}  // namespace zerosuite::net
