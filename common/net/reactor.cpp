#include "net/reactor.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <utility>
#include <zmq.hpp>

namespace zerosuite::net {

using core::milliseconds;
using namespace std::chrono_literals;

namespace {
constexpr milliseconds kLongestWait = 1h;

// A timer this late was not held up by the loop's own work: the process was paused.
constexpr milliseconds kOverdue = 100ms;
// After a pause libzmq's own thread needs a moment for each batch that waits in the kernel, and may have to
// wait for a processor.
constexpr milliseconds kMoreMayCome = 50ms;
constexpr milliseconds kCatchUp = 500ms;

// Rounded up, so that the loop does not spin through the last millisecond before a timer.
milliseconds patience(milliseconds wait, std::optional<core::TimePoint> next) {
  wait = std::min(wait, kLongestWait);
  if (wait > 0ms && next) wait = std::min(wait, std::chrono::ceil<milliseconds>(*next - core::Clock::now()));
  return std::max(wait, 0ms);
}
}  // namespace

struct Reactor::Entry {
  zmq::pollitem_t item;
  std::function<void()> ready;
  bool live = true;
};

// While a turn runs, entries keep their places and their closures stay alive, even when their watches end.
class Reactor::Turning {
 public:
  explicit Turning(bool& turning) : turning_(turning) { turning_ = true; }
  ~Turning() { turning_ = false; }
  Turning(const Turning&) = delete;
  Turning& operator=(const Turning&) = delete;

 private:
  bool& turning_;
};

Reactor::Reactor(core::TimePoint start) : timers_(start) {}
Reactor::~Reactor() = default;

Reactor::Watch Reactor::watch(zmq::socket_ref socket, std::function<void()> ready) {
  return add({socket.handle(), -1, ZMQ_POLLIN, 0}, std::move(ready));
}

Reactor::Watch Reactor::watch(int fd, std::function<void()> ready) {
  return add({nullptr, fd, ZMQ_POLLIN, 0}, std::move(ready));
}

Reactor::Watch Reactor::watch_writable(int fd, std::function<void()> ready) {
  return add({nullptr, fd, ZMQ_POLLOUT, 0}, std::move(ready));
}

Reactor::Watch Reactor::add(const zmq_pollitem_t& item, std::function<void()> ready) {
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

void Reactor::turn(milliseconds wait) {
  const Turning turning(turning_);
  const auto next = timers_.next();
  hear(patience(wait, next));
  if (next && timers_.now() - *next > kOverdue) catch_up();
  timers_.advance_to(timers_.now());
}

// Returns whether anything was ready or a signal came.
bool Reactor::hear(milliseconds wait) {
  if (stale_) rebuild();
  ++turns_;
  const int count = ::zmq_poll(items_.data(), static_cast<int>(items_.size()), wait.count());
  if (count < 0 && errno != EINTR) throw zmq::error_t();
  timers_.set_now(core::Clock::now());
  if (count > 0) call_ready(count);
  return count != 0;
}

void Reactor::catch_up() {
  const core::TimePoint end = timers_.now() + kCatchUp;
  while (timers_.now() < end && hear(kMoreMayCome)) continue;
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
