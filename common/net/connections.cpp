#include "net/connections.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include "net/arrivals.hpp"
#include "net/socket.hpp"

namespace zerosuite::net {
namespace {

using namespace std::chrono_literals;

// A connection's last messages may arrive after its end was reported and must not be lost: a worker that
// stops replies to its last calls first. libzmq's thread reports the end a moment before it hands over what
// it read last, and the loop then needs time to receive it, unless other peers send without pause.
constexpr auto kLastWords = 10ms;
constexpr std::uint64_t kTurns = 2;
constexpr auto kPatience = 1s;

// When a connection's unread weight is checked: after this many messages, or one this large, have been
// received from it; and, for all connections, at this interval. Not at every message, since the counter is in
// another processor's cache.
constexpr std::uint32_t kCheckedMessages = 256;
constexpr std::uint64_t kLarge = 64 << 10;
constexpr auto kLookEvery = 100ms;

// The address of the peer, or over ipc its user. Empty when that is no longer known.
std::string address_of(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
  if (storage.ss_family == AF_UNIX) {
    ucred user{};
    socklen_t user_size = sizeof user;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &user, &user_size) != 0) return {};
    return "uid:" + std::to_string(user.uid);
  }
  char text[INET6_ADDRSTRLEN] = {};
  const void* const bytes = storage.ss_family == AF_INET
                                ? static_cast<const void*>(&reinterpret_cast<sockaddr_in&>(storage).sin_addr)
                                : &reinterpret_cast<sockaddr_in6&>(storage).sin6_addr;
  return ::inet_ntop(storage.ss_family, bytes, text, sizeof text) == nullptr ? std::string() : text;
}

// Left for libzmq to close: closing it here would let the number be reused while libzmq still uses it.
void end(int fd) { ::shutdown(fd, SHUT_RDWR); }

}  // namespace

Connections::Connections(Context& context, Reactor& reactor, Socket& router)
    : reactor_(reactor),
      gate_(context.gate()),
      router_(router),
      max_unread_(std::numeric_limits<std::uint64_t>::max()),
      max_unread_total_(max_unread_),
      tell_(reactor.timers(), [this] { tell_gone(); }),
      admit_(reactor.timers(), [this] { admit_arrived(); }),
      look_(reactor.timers(), [this] { look(); }),
      monitor_(context, reactor, router, [this](Connection change, int fd) {
        if (change == Connection::kFailed) return failed(fd);
        if (change != Connection::kUp && change != Connection::kRefused) changed(change, fd);
      }) {
  gate_.add(*this);
  router_.watch_over(this);
}

Connections::~Connections() {
  router_.watch_over(nullptr);
  gate_.remove(*this);
  for (const auto& [fd, live] : live_) {
    if (!live.address.empty()) gate_.leave(live.address);
  }
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
    if (!found->second.address.empty()) gate_.leave(found->second.address);
    live_.erase(found);
  }
  if (change == Connection::kDown) return;
  if (!look_.armed()) look_.after(kLookEvery);
  // The gate lets us catch up before it numbers a connection, so a peer that already has its number is not
  // this one.
  live_.emplace(fd, Live{.least = gate_.next_number(),
                         .since = reactor_.timers().now(),
                         .address = {},
                         .weighed = change == Connection::kAccepted});
  if (change != Connection::kAccepted) return;
  arrived_.push_back(fd);
  if (!admit_.armed()) admit_.after(0ms);
}

// Catches up first: an older event may be about a descriptor that has since been reused.
void Connections::admit_arrived() {
  catch_up();
  for (const int fd : std::exchange(arrived_, {})) {
    const auto live = live_.find(fd);
    if (live == live_.end() || !live->second.address.empty()) continue;
    std::string address = address_of(fd);
    if (address.empty()) continue;  // it is already closing
    gate_.enter(address, fd) ? end(fd) : void(live->second.address = std::move(address));
  }
  if (std::exchange(turned_away_, false)) gate_.turned_away();
}

// Reported after the connections accepted earlier, whose addresses are known.
void Connections::failed(int error) {
  if (error != ENFILE) return;  // the peer has already disconnected
  turned_away_ = true;
  if (!admit_.armed()) admit_.after(0ms);
}

void Connections::end_silent(core::TimePoint since, std::string_view address) {
  for (const auto& [fd, live] : live_) {
    const bool meant = address.empty() ? !live.address.empty() : live.address == address;
    if (meant && live.peer == nullptr && live.since <= since) end(fd);
  }
}

void Connections::cut(std::string_view identity) {
  catch_up();  // the descriptor may have been reused
  const auto found = names_.find(identity);
  if (found != names_.end()) end(found->second->fd);
}

void Connections::forget(Peer& peer) {
  names_.erase(peer.identity);  // first, since the key is a view of it
  departed(std::move(peer.identity), peer.number);
  if (speaker_ == &peer) speaker_ = nullptr;
  if (reached_ == &peer) reached_ = nullptr;
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
  const auto known = [&](const Departed& each) {
    if (each.identity != identity) return false;
    unwanted_.erase(each.number);
    return true;
  };
  if (std::erase_if(departed_, known) > 0) gone_(identity);
}

void Connections::tell_gone() {
  while (!departed_.empty() && is_complete(departed_.front())) {
    const std::string identity = std::move(departed_.front().identity);
    unwanted_.erase(departed_.front().number);
    departed_.pop_front();
    gone_(identity);
  }
  if (!departed_.empty()) tell_.after(kLastWords);
}

// Whether everything the connection sent has been received.
bool Connections::is_complete(const Departed& departed) const {
  const auto waited = reactor_.timers().now() - departed.since;
  if (waited > kPatience) return true;
  return waited >= kLastWords && reactor_.turns() >= departed.turn + kTurns && emptied();
}

void Connections::heard_nothing() {
  speaking_.clear();
  emptied_ = true;
}

bool Connections::heard(const std::vector<Frame>& frames, std::uint64_t dropped) {
  const std::uint64_t number = Gate::number_of(frames.back());
  if (!unwanted_.empty() && unwanted_.contains(number)) {
    speaking_.clear();
    turn_ = reactor_.turns();
    stale_ = true;
    emptied_ = false;
    return false;
  }
  const bool same = speaker_ != nullptr && speaker_->number == number;
  if (!same || speaking_.empty()) {  // most messages come from the same connection as the previous one
    const std::string identity = frames.front().to_string();
    if (number == 0) {
      unnumbered_ = true;
      speaker_ = nullptr;
    } else if (!same) {
      const auto known = peers_.find(number);
      speaker_ = known != peers_.end() ? known->second.get() : meet(identity, frames.back(), number);
    }
    speaking_ = identity;
  }
  turn_ = reactor_.turns();
  stale_ = true;
  emptied_ = false;
  if (speaker_ != nullptr) account(*speaker_, frames, dropped);
  return unwanted_.empty() || !unwanted_.contains(number);
}

// Null if the connection has already ended, so that its descriptor may have been reused. Its message is still
// served, and its state is dropped with the connection.
Connections::Peer* Connections::meet(std::string_view identity, const Frame& payload, std::uint64_t number) {
  if (has_departed(number)) return nullptr;
  catch_up();
  if (const auto old = names_.find(identity); old != names_.end()) {
    const auto live = live_.find(old->second->fd);
    if (live != live_.end() && live->second.peer == old->second) live->second.peer = nullptr;
    forget(*old->second);
  }
  tell(identity);
  const int fd = ::zmq_msg_get(payload.handle(), ZMQ_SRCFD);
  const auto live = live_.find(fd);
  const bool there = live != live_.end() && live->second.least <= number;
  if (there && live->second.ended) unwanted_.insert(number);
  if (!there || live->second.ended) {
    departed(std::string(identity), number);
    return nullptr;
  }
  if (live->second.peer != nullptr) forget(*live->second.peer);
  auto peer = std::make_unique<Peer>(Peer{.number = number, .identity = std::string(identity), .fd = fd});
  live->second.peer = peer.get();
  names_.emplace(peer->identity, peer.get());
  return peers_.emplace(number, std::move(peer)).first->second.get();
}

// The sender of the current message still has its identity: libzmq releases an identity only while reading
// what follows. For any other, the monitor must have been read since the router was: an identity that is free
// now was free then, and libzmq reported that to the monitor first.
bool Connections::reaches(std::string_view identity) {
  if (identity == speaking_ && turn_ == reactor_.turns()) return true;
  if (stale_ || checked_turn_ != reactor_.turns()) catch_up();
  if (reached_ != nullptr && reached_->identity == identity) return true;
  const auto found = names_.find(identity);
  if (found != names_.end()) reached_ = found->second;
  return unnumbered_ || found != names_.end();
}

// libzmq reads everything (see Reading::kAll); this is what limits it.
void Connections::account(Peer& peer, const std::vector<Frame>& frames, std::uint64_t dropped) {
  std::uint64_t weight = dropped;
  for (std::size_t i = 1; i < frames.size(); ++i) weight += weight_of(frames[i]);
  peer.taken += weight;
  if (++peer.unchecked < kCheckedMessages && weight < kLarge) return;
  peer.unchecked = 0;
  const auto live = live_.find(peer.fd);
  if (live != live_.end() && unread(peer.fd, live->second) > max_unread_) check_all();
}

std::uint64_t Connections::unread(int fd, const Live& live) const {
  if (!live.weighed) return 0;
  const std::uint64_t taken = live.peer == nullptr ? 0 : live.peer->taken;
  const std::uint64_t read = weight_read(fd);
  return read > taken ? read - taken : 0;
}

// Usually too little has been read since the last check to exceed a limit.
void Connections::look() {
  if (!live_.empty()) look_.after(kLookEvery);
  const std::uint64_t matters = std::min(max_unread_ / 4, max_unread_total_ / 16);
  if (weight_read() - checked_ >= matters) check_all();
}

// Includes connections that have sent no complete message: one may send a message that never ends.
void Connections::check_all() {
  catch_up();  // a descriptor may have been reused
  checked_ = weight_read();
  std::vector<std::pair<std::uint64_t, int>> waiting;
  std::uint64_t total = 0;
  for (auto& [fd, live] : live_) {
    const std::uint64_t weight = unread(fd, live);
    if (weight > max_unread_) {
      end_unread(fd, live, Refusal::kUnread);
    } else if (weight > 0) {
      waiting.emplace_back(weight, fd);
      total += weight;
    }
  }
  if (total <= max_unread_total_) return;
  std::sort(waiting.begin(), waiting.end());
  for (; total > max_unread_total_; waiting.pop_back()) {
    const auto [weight, fd] = waiting.back();
    end_unread(fd, live_.at(fd), Refusal::kUnreadTotal);
    total -= weight;
  }
}

void Connections::end_unread(int fd, Live& live, Refusal why) {
  live.weighed = false;  // reported once, and no longer counted in the total
  live.ended = true;
  if (live.peer != nullptr) unwanted_.insert(live.peer->number);
  gate_.note(why, live.address);
  end(fd);
}

}  // namespace zerosuite::net
