#include "net/dialer.hpp"

#include <algorithm>
#include <utility>

namespace zerosuite::net {
namespace {

using namespace std::chrono_literals;

constexpr core::milliseconds kFirstPause{100};     // after a round that came to nothing; it doubles,
constexpr core::milliseconds kLongestPause{5000};  // up to this
constexpr std::uint32_t kMostDoublings = 10;
constexpr auto kAttempt = 5s;  // an address from which nothing at all comes back

}  // namespace

Dialer::Dialer(const Dialing& dialing, Socket& socket, const std::string& endpoint, DialerEvents events)
    : names_(dialing.names),
      socket_(socket),
      events_(std::move(events)),
      monitor_(dialing.context, dialing.reactor, socket,
               [this](Connection connection, int fd) { changed(connection, fd); }),
      name_(named_endpoint(endpoint)),
      attempt_(dialing.reactor.timers(), [this] { dialed_.empty() ? look_up() : give_up_address(); }) {
  if (!name_) {
    socket_.connect(endpoint);
  } else {
    socket_.ref().set(zmq::sockopt::immediate, true);
    look_up();
  }
}

void Dialer::changed(Connection connection, int descriptor) {
  if (name_ && dialed_.empty()) return;  // of an address that was given up
  switch (connection) {
    case Connection::kAccepted:
    case Connection::kDialed:
      descriptor_ = descriptor;
      return;
    case Connection::kUp:
      attempt_.cancel();
      failures_ = 0;
      if (events_.up) events_.up();
      return;
    case Connection::kDown:
      if (events_.down) events_.down();  // first: what is not read yet goes with the address
      addresses_.clear();
      if (name_) give_up_address();
      return;
    case Connection::kRefused:
      if (name_) give_up_address();
      return;
  }
}

void Dialer::look_up() {
  lookup_ = names_.look_up(name_->host, [this](const Addresses& addresses) { found(addresses); });
}

void Dialer::found(const Addresses& addresses) {
  if (!addresses) {
    pause();
    if (events_.not_found) events_.not_found(addresses.error());
    return;
  }
  addresses_ = *addresses;
  std::reverse(addresses_.begin(), addresses_.end());
  try_next();
}

void Dialer::try_next() {
  dialed_ = name_->at(addresses_.back());
  addresses_.pop_back();
  socket_.connect(dialed_);
  attempt_.after(kAttempt);
}

void Dialer::give_up_address() {
  socket_.disconnect(std::exchange(dialed_, {}));
  addresses_.empty() ? pause() : try_next();
}

void Dialer::pause() {
  const auto doublings = std::min(failures_++, kMostDoublings);
  attempt_.after(std::min<core::milliseconds>(kFirstPause * (1 << doublings), kLongestPause));
}

}  // namespace zerosuite::net
