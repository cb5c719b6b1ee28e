// A reactor shared by many threads and driven by one of them at a time.
//
// A caller that waits for an answer drives the reactor itself, so a call costs no hand-over between threads; the
// background thread drives only while something is open that nobody waits for. This is the leader/follower pattern
// (Schmidt et al., POSA 2, 2000).
#pragma once
#include <functional>
#include "core/function.hpp"
#include "net/reactor.hpp"

namespace zerosuite::net {

class Driver {
 public:
  /// `busy` is asked on the driving thread: is something open that needs driving though nobody waits for it?
  Driver(Reactor& reactor, std::function<bool()> busy);
  /// Joins the background thread; jobs still queued are dropped unrun. No thread may be inside run().
  ~Driver();

  /// A thread waiting for something. Complete it once, on the driving thread, by finish().
  class Waiter;

  /// Any thread. Runs `job` on the driving thread: inside this call if the caller drives already, otherwise soon.
  void post(core::MoveFunction<void()> job);
  /// Any thread but the driving one (std::logic_error there: a callback must not wait for its own client).
  /// Runs `job` on the driving thread, most often this one, and returns when `waiter` is finished.
  void run(core::MoveFunction<void()> job, Waiter& waiter);
  /// On the driving thread only.
  void finish(Waiter& waiter);
};

}  // namespace zerosuite::net
