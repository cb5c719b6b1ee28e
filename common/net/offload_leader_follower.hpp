// A reactor shared by many threads and driven by one of them at a time.
//
// A caller that waits for a reply drives the reactor itself, so a call costs no hand-over between threads.
// When it has its reply, the next waiting caller takes over; the background thread drives only while
// something is open that no thread waits for. This is the leader/follower pattern (Schmidt et al., POSA 2,
// 2000).
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "core/function.hpp"
#include "net/offload.hpp"
#include "net/reactor.hpp"

namespace zerosuite::net {

/// No job and no callback of the reactor may throw: they run on whichever thread drives, which could not
/// handle the exception; one that escapes ends the process.
class LeaderFollower {
 public:
  /// While this object exists, the reactor, its timers and its watches may be used on the driving thread
  /// only: arm, end and destroy them in jobs or callbacks, or after its destruction. `busy` is called on the
  /// driving thread and returns whether something is open that needs driving although no thread waits for it.
  LeaderFollower(Reactor& reactor, std::function<bool()> busy);
  /// Joins the background thread; jobs still queued are dropped without being run. No thread may be inside
  /// run(), and no job or callback may call this.
  ~LeaderFollower();
  LeaderFollower(const LeaderFollower&) = delete;
  LeaderFollower& operator=(const LeaderFollower&) = delete;

  /// A waiting thread. Call finish() for it once, on the driving thread.
  class Waiter;

  /// Any thread. Runs `job` on the driving thread: inside this call if the caller is the driving thread,
  /// otherwise soon. Throws std::system_error when the background thread is needed and cannot start.
  void post(core::MoveFunction<void()> job);
  /// Any thread but the driving one (throws std::logic_error there: a callback must not wait for its own
  /// client). Runs `job` on the driving thread, usually this one, and returns when `waiter` is finished.
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
  std::mutex mutex_;         // guards the members below, and orders posts with hand-overs
  std::thread::id driving_;  // none = no thread drives; then no job is queued and no thread waits
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
