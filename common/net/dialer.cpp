#include "net/dialer.hpp"

#include <algorithm>
#include <utility>

namespace zerosuite::net {
namespace {

using namespace std::chrono_literals;

constexpr core::milliseconds kFirstPause{100};     // after a failed round; it doubles,
constexpr core::milliseconds kLongestPause{5000};  // up to this
constexpr std::uint32_t kMostDoublings = 10;
constexpr auto kAttempt = 5s;  // limit for an address that does not reply at all

}  // namespace

Dialer::Dialer(const Dialing& dialing, Socket& socket, const std::string& endpoint, DialerEvents events)
    : names_(dialing.names),
      socket_(socket),
      events_(std::move(events)),
      monitor_(dialing.context, dialing.reactor, socket,
               [this](Connection connection, int fd) { changed(connection, fd); }),
      name_(named_endpoint(endpoint)),
      attempt_(dialing.reactor.timers(), [this] { pausing_ ? look_up() : give_up_address(); }) {
  name_ ? look_up() : socket_.connect(endpoint);
}

void Dialer::changed(Connection connection, int descriptor) {
  if (name_ && dialed_.empty()) return;  // about an address that was given up
  switch (connection) {
    case Connection::kAccepted:
    case Connection::kDialed:
      descriptor_ = descriptor;
      return;
    case Connection::kUp:
      attempt_.cancel();
      pausing_ = false;
      failures_ = 0;
      if (events_.up) events_.up();
      return;
    case Connection::kDown:
      if (events_.down) events_.down();  // first: unread messages are lost with the address
      addresses_.clear();
      if (name_) give_up_address();
      return;
    case Connection::kRefused:
      if (name_) give_up_address();
      return;
    case Connection::kFailed:
      return;  // only for sockets that bind
  }
}

void Dialer::look_up() {
  pausing_ = false;
  lookup_ = names_.look_up(name_->host, [this](const Addresses& addresses) { found(addresses); });
}

void Dialer::found(const Addresses& addresses) {
  if (!addresses) {
    pause();
    if (events_.not_found) events_.not_found(addresses.error());
    return;
  }
  const bool still_there = std::any_of(addresses->begin(), addresses->end(),
                                       [this](const auto& address) { return name_->at(address) == dialed_; });
  if (still_there && addresses->size() == 1) return pause();
  addresses_ = *addresses;
  std::reverse(addresses_.begin(), addresses_.end());
  try_next();
}

void Dialer::try_next() {
  if (!dialed_.empty()) socket_.disconnect(dialed_);
  dialed_ = name_->at(addresses_.back());
  addresses_.pop_back();
  socket_.connect(dialed_);
  attempt_.after(kAttempt);
}

// The last address is kept, with what is queued for it, and libzmq keeps trying it until the name resolves to
// another one.
void Dialer::give_up_address() {
  if (pausing_) return;
  addresses_.empty() ? pause() : try_next();
}

void Dialer::pause() {
  pausing_ = true;
  const auto doublings = std::min(failures_++, kMostDoublings);
  attempt_.after(std::min<core::milliseconds>(kFirstPause * (1 << doublings), kLongestPause));
}

}  // namespace zerosuite::net
