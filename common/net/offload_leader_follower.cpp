#include "net/offload_leader_follower.hpp"

#include <stdexcept>
#include <utility>

#include "core/clock.hpp"

namespace zerosuite::net {

LeaderFollower::LeaderFollower(Reactor& reactor, std::function<bool()> busy)
    : reactor_(reactor), busy_(std::move(busy)), jobs_(reactor) {}

LeaderFollower::~LeaderFollower() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_background_.notify_one();
  jobs_.post([] {});  // ends the turn the background thread may be waiting in
  if (background_.joinable()) background_.join();
}

void LeaderFollower::post(core::MoveFunction<void()> job) {
  std::unique_lock lock(mutex_);
  if (drives_here()) {
    lock.unlock();
    job();
    return;
  }
  jobs_.post(std::move(job));
  if (driving_ == std::thread::id()) pass_to_background();
}

void LeaderFollower::run(core::MoveFunction<void()> job, Waiter& waiter) {
  waiter.thread_ = std::this_thread::get_id();
  std::unique_lock lock(mutex_);
  if (drives_here())
    throw std::logic_error("a callback must not wait for what only its own thread can bring about");

  if (driving_ == std::thread::id()) {
    driving_ = waiter.thread_;
    lock.unlock();
    lead(job, waiter);
    return;
  }

  jobs_.post(std::move(job));
  followers_.push_back(&waiter);
  waiter.wake_.wait(lock, [&] { return waiter.finished_ || drives_here(); });
  if (waiter.finished_) return;
  lock.unlock();
  drive(waiter);
}

void LeaderFollower::finish(Waiter& waiter) {
  const std::lock_guard lock(mutex_);
  waiter.finished_ = true;
  if (waiter.thread_ == driving_) return;
  std::erase(followers_, &waiter);
  // Under the lock: the waiter may be destroyed as soon as its thread sees that it is finished.
  waiter.wake_.notify_one();
}

void LeaderFollower::lead(core::MoveFunction<void()>& job, const Waiter& waiter) noexcept {
  // The reactor may not have been driven for long, and the job must not measure its deadlines from then.
  reactor_.timers().advance_to(core::Clock::now());
  job();
  drive(waiter);
}

void LeaderFollower::drive(const Waiter& waiter) noexcept {
  while (!waiter.finished_) reactor_.turn(core::milliseconds::max());
  const bool busy = busy_();
  const std::lock_guard lock(mutex_);
  if (busy && followers_.empty()) {
    pass_to_background();
  } else {
    pass_on();
  }
}

// Called with the lock held, so that there is always a driver while there is work left.
void LeaderFollower::pass_on() {
  if (!followers_.empty()) {
    Waiter& next = *followers_.front();
    followers_.pop_front();
    driving_ = next.thread_;
    next.wake_.notify_one();
  } else if (!jobs_.empty()) {
    pass_to_background();
  } else {
    driving_ = {};
  }
}

void LeaderFollower::pass_to_background() {
  if (!background_.joinable()) background_ = std::thread([this] { background(); });
  driving_ = background_.get_id();
  wake_background_.notify_one();
}

void LeaderFollower::background() noexcept {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_background_.wait(lock, [this] { return stopping_ || drives_here(); });
    if (stopping_) return;
    lock.unlock();
    reactor_.turn(core::milliseconds::max());
    const bool busy = busy_();
    lock.lock();
    if (!busy) pass_on();
  }
}

}  // namespace zerosuite::net
