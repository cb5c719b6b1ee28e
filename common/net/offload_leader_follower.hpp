// A reactor shared by many threads and driven by one of them at a time.
//
// A caller that waits for an answer drives the reactor itself, so a call costs no hand-over between threads;
// when it has its answer, the next waiting caller takes over, and the background thread only while something
// is open that nobody waits for. This is the leader/follower pattern (Schmidt et al., POSA 2, 2000).
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "core/function.hpp"
#include "net/offload_mailbox.hpp"
#include "net/reactor.hpp"

namespace zerosuite::net {

/// No job and no callback of the reactor may throw: they run on whichever thread drives, which has no use for
/// the exception; one that escapes ends the process.
class LeaderFollower {
 public:
  /// While the leader lives, the reactor, its timers and its watches are touched on the driving thread only:
  /// arm, end and destroy them in jobs or callbacks, or when the leader is gone. `busy` is asked on the
  /// driving thread: is something open that needs driving though nobody waits for it?
  LeaderFollower(Reactor& reactor, std::function<bool()> busy);
  /// Joins the background thread; jobs still queued are dropped unrun. No thread may be inside run(), and it
  /// may not be called by a job or callback.
  ~LeaderFollower();
  LeaderFollower(const LeaderFollower&) = delete;
  LeaderFollower& operator=(const LeaderFollower&) = delete;

  /// A thread waiting for something. Complete it once, on the driving thread, by finish().
  class Waiter;

  /// Any thread. Runs `job` on the driving thread: inside this call if the caller drives already, otherwise
  /// soon. Throws std::system_error when the background thread is needed and cannot start.
  void post(core::MoveFunction<void()> job);
  /// Any thread but the driving one (std::logic_error there: a callback must not wait for its own client).
  /// Runs `job` on the driving thread, most often this one, and returns when `waiter` is finished.
  void run(core::MoveFunction<void()> job, Waiter& waiter);
  /// On the driving thread only.
  void finish(Waiter& waiter);

 private:
  bool drives_here() const { return driving_ == std::this_thread::get_id(); }
  void lead(core::MoveFunction<void()>& job, const Waiter& waiter) noexcept;
  void drive(const Waiter& waiter) noexcept;
  void pass_on();
  void pass_to_background();
  void background() noexcept;

  Reactor& reactor_;
  const std::function<bool()> busy_;
  Mailbox jobs_;
  std::mutex mutex_;         // guards what follows, and orders posts with handing over
  std::thread::id driving_;  // nobody's when default-made; then no job is queued and no thread waits
  std::deque<Waiter*> followers_;
  bool stopping_ = false;
  std::condition_variable wake_background_;
  std::thread background_;  // started when first needed
};

class LeaderFollower::Waiter {
 public:
  Waiter() = default;
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

 private:
  friend class LeaderFollower;

  std::thread::id thread_;
  bool finished_ = false;
  std::condition_variable wake_;
};

}  // namespace zerosuite::net
