// The one loop of a process: ZeroMQ sockets, file descriptors and timers, polled together by zmq_poll(3).
// Everything it calls runs on the thread that turns it, one callback at a time, to completion.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/clock.hpp"
#include "net/timers.hpp"

// Of <zmq.hpp>, which files that only have timers and descriptors need not read.
struct zmq_pollitem_t;
namespace zmq {
class socket_ref;
}

namespace zerosuite::net {

/// Not thread-safe; may be turned by another thread with a full fence in between. Must outlive its watches
/// and timers.
class Reactor {
 public:
  /// Keeps one socket or descriptor watched; letting it go ends the watch at once, also from inside a
  /// callback.
  class Watch;

  /// `start` is the first now() of its timers.
  explicit Reactor(core::TimePoint start = core::Clock::now());
  ~Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  /// Their now() is fresh in every callback, and stands still until the next turn.
  Timers& timers() { return timers_; }

  /// Calls `ready` in every turn in which a message of the ZeroMQ socket can be received. The callback takes
  /// a bounded batch and returns; what is left is reported again (level-triggered), so one loud peer cannot
  /// starve timers or other sockets.
  [[nodiscard]] Watch watch(zmq::socket_ref socket, std::function<void()> ready);
  /// The same for a descriptor that became readable, was hung up or failed. The descriptor stays its owner's.
  [[nodiscard]] Watch watch(int fd, std::function<void()> ready);
  /// The same for a descriptor that can be written to, that has connected, was hung up or failed. Most can be
  /// written to all the time: end the watch when there is nothing to write.
  [[nodiscard]] Watch watch_writable(int fd, std::function<void()> ready);

  /// One turn: waits at most `wait` (an hour if longer, and until the next timer at most), calls what became
  /// ready, then fires the timers that are due and does what Timers::later() was given. When it finds one
  /// long overdue the process was paused, and it first calls what is ready again and again, until nothing is
  /// or half a second has passed: a heartbeat that waits in a socket is heard before its sender is given up.
  /// A signal cuts the wait short. Not from inside a callback. Throws zmq::error_t when a watched socket was
  /// closed or its context is gone; what a callback throws passes through.
  void turn(core::milliseconds wait);
  /// Turns until stop() is called from a callback.
  void run();
  void stop() { stopped_ = true; }
  /// How often it has looked at what it watches, up to now.
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
  // Of the first entries, in their order; what callbacks add comes after.
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

  /// Ends the watch; nothing when there is none.
  void reset();

 private:
  friend class Reactor;
  Watch(Reactor& reactor, Entry& entry) : reactor_(&reactor), entry_(&entry) {}

  Reactor* reactor_ = nullptr;
  Entry* entry_ = nullptr;
};

}  // namespace zerosuite::net
