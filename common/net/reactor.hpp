// The one loop of a process: ZeroMQ sockets, file descriptors and timers, polled together by zmq_poll(3).
// Everything it calls runs on the thread that runs it, one callback at a time, to completion.
#pragma once

#include <functional>
#include <memory>
#include <vector>
#include <zmq.hpp>

#include "core/clock.hpp"
#include "net/timers.hpp"

namespace zerosuite::net {

class Reactor {
 public:
  /// Keeps one socket or descriptor watched; letting it go ends the watch at once, also from inside a callback.
  class Watch;

  Reactor();
  ~Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  Timers& timers();

  /// Calls `ready` in every turn in which a message can be received. The callback takes a bounded batch and returns;
  /// what is left is reported again (level-triggered), so one loud peer cannot starve timers or other sockets.
  [[nodiscard]] Watch watch(zmq::socket_ref socket, std::function<void()> ready);
  /// The same for a descriptor that became readable. The descriptor stays its owner's.
  [[nodiscard]] Watch watch(int fd, std::function<void()> ready);

  /// One turn: advances the timers, waits at most `wait` (or until the next timer) and calls what became ready.
  void turn(core::milliseconds wait);
  /// Turns until stop() is called from a callback.
  void run();
  void stop();
};

}  // namespace zerosuite::net
