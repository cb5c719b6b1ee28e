#include "net/reactor.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

namespace zerosuite::net {

using core::milliseconds;
using namespace std::chrono_literals;

namespace {
constexpr milliseconds kLongestWait = 1h;
}  // namespace

struct Reactor::Entry {
  zmq::pollitem_t item;
  std::function<void()> ready;
  bool live = true;
};

// While a turn runs, entries keep their places and closures their lives, also of watches that end.
class Reactor::Turning {
 public:
  explicit Turning(bool& turning) : turning_(turning) { turning_ = true; }
  ~Turning() { turning_ = false; }
  Turning(const Turning&) = delete;
  Turning& operator=(const Turning&) = delete;

 private:
  bool& turning_;
};

Reactor::Reactor() : timers_(core::Clock::now()) {}
Reactor::~Reactor() = default;

Reactor::Watch Reactor::watch(zmq::socket_ref socket, std::function<void()> ready) {
  return add({socket.handle(), -1, ZMQ_POLLIN, 0}, std::move(ready));
}

Reactor::Watch Reactor::watch(int fd, std::function<void()> ready) {
  return add({nullptr, fd, ZMQ_POLLIN, 0}, std::move(ready));
}

Reactor::Watch Reactor::add(zmq::pollitem_t item, std::function<void()> ready) {
  entries_.push_back(std::make_unique<Entry>(Entry{item, std::move(ready)}));
  stale_ = true;
  return {*this, *entries_.back()};
}

void Reactor::end(Entry& entry) {
  entry.live = false;
  stale_ = true;
  if (!turning_) rebuild();
}

void Reactor::rebuild() {
  std::erase_if(entries_, [](const auto& entry) { return !entry->live; });
  items_.clear();
  for (const auto& entry : entries_) items_.push_back(entry->item);
  stale_ = false;
}

// Rounded up, so that the loop does not spin through the last millisecond before a timer.
long Reactor::patience(milliseconds wait) const {
  wait = std::min(wait, kLongestWait);
  if (wait > 0ms) {
    if (const auto next = timers_.next()) {
      wait = std::min(wait, std::chrono::ceil<milliseconds>(*next - core::Clock::now()));
    }
  }
  return static_cast<long>(std::max(wait, 0ms).count());
}

void Reactor::turn(milliseconds wait) {
  if (stale_) rebuild();
  const Turning turning(turning_);
  const int count = ::zmq_poll(items_.data(), static_cast<int>(items_.size()), patience(wait));
  if (count < 0 && errno != EINTR) throw zmq::error_t();
  const core::TimePoint now = core::Clock::now();
  timers_.tell(now);
  if (count > 0) call_ready(count);
  timers_.advance_to(now);
}

void Reactor::call_ready(int count) {
  for (std::size_t i = 0; count > 0; ++i) {
    if (items_[i].revents == 0) continue;
    --count;
    Entry& entry = *entries_[i];
    if (entry.live) entry.ready();
  }
}

void Reactor::run() {
  stopped_ = false;
  while (!stopped_) turn(kLongestWait);
}

Reactor::Watch::Watch(Watch&& other) noexcept
    : reactor_(other.reactor_), entry_(std::exchange(other.entry_, nullptr)) {}

Reactor::Watch& Reactor::Watch::operator=(Watch&& other) noexcept {
  if (this != &other) {
    reset();
    reactor_ = other.reactor_;
    entry_ = std::exchange(other.entry_, nullptr);
  }
  return *this;
}

void Reactor::Watch::reset() {
  if (entry_ != nullptr) reactor_->end(*std::exchange(entry_, nullptr));
}

}  // namespace zerosuite::net
