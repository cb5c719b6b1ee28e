// The one loop of a process: ZeroMQ sockets, file descriptors and timers, polled together by zmq_poll(3).
// Every callback runs on the thread that calls turn(), one at a time, to completion.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/clock.hpp"
#include "net/timers.hpp"

// From <zmq.hpp>, so that files that use only timers and descriptors need not include it.
struct zmq_pollitem_t;
namespace zmq {
class socket_ref;
}

namespace zerosuite::net {

/// Not thread-safe; another thread may call turn() after a full fence. Must outlive its watches and timers.
class Reactor {
 public:
  /// Keeps one socket or descriptor watched. Destroying it ends the watch at once, also from inside a
  /// callback.
  class Watch;

  /// `start` is the first now() of its timers.
  explicit Reactor(core::TimePoint start = core::Clock::now());
  ~Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  /// Their now() is fresh in every callback, and does not change until the next turn.
  Timers& timers() { return timers_; }

  /// Calls `ready` in every turn in which a message of the ZeroMQ socket can be received. The callback takes
  /// a bounded batch and returns; what is left is reported again (level-triggered), so one loud peer cannot
  /// starve timers or other sockets.
  [[nodiscard]] Watch watch(zmq::socket_ref socket, std::function<void()> ready);
  /// The same for a descriptor that became readable, was hung up or failed. Does not take ownership of it.
  [[nodiscard]] Watch watch(int fd, std::function<void()> ready);
  /// The same for a descriptor that can be written to, that has connected, was hung up or failed. Most
  /// descriptors are always writable: end the watch when there is nothing to write.
  [[nodiscard]] Watch watch_writable(int fd, std::function<void()> ready);

  /// One turn: waits at most `wait` (an hour if longer, and until the next timer at most), calls what became
  /// ready, then fires the timers that are due and those armed by Timer::later(). A timer long overdue
  /// means that the process was paused; then whatever is ready is first served until nothing is, or until
  /// half a second has passed, so that a heartbeat waiting in a socket is received before its sender is given
  /// up. A signal cuts the wait short. Not from inside a callback. Throws zmq::error_t when a watched socket
  /// was closed or its context is gone; what a callback throws passes through.
  void turn(core::milliseconds wait);
  /// Turns until stop() is called from a callback.
  void run();
  void stop() { stopped_ = true; }
  /// How many times it has polled so far.
  std::uint64_t turns() const { return turns_; }

 private:
  struct Entry;
  class Turning;

  Watch add(const zmq_pollitem_t& item, std::function<void()> ready);
  void end(Entry& entry);
  void rebuild();
  bool hear(core::milliseconds wait);
  void call_ready(int count);
  void catch_up();

  Timers timers_;
  std::vector<std::unique_ptr<Entry>> entries_;
  // For the first entries, in their order; entries added by callbacks follow.
  std::vector<zmq_pollitem_t> items_;
  bool stale_ = false;  // items_ no longer match entries_
  bool turning_ = false;
  bool stopped_ = false;
  std::uint64_t turns_ = 0;
};

class Reactor::Watch {
 public:
  Watch() = default;
  Watch(Watch&& other) noexcept;
  Watch& operator=(Watch&& other) noexcept;
  ~Watch() { reset(); }

  /// Ends the watch, if there is one.
  void reset();

 private:
  friend class Reactor;
  Watch(Reactor& reactor, Entry& entry) : reactor_(&reactor), entry_(&entry) {}

  Reactor* reactor_ = nullptr;
  Entry* entry_ = nullptr;
};

}  // namespace zerosuite::net
