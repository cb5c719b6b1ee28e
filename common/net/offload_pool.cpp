#include "net/offload_pool.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

namespace zerosuite::net {
namespace {

std::size_t cores() { return std::max<std::size_t>(1, std::thread::hardware_concurrency()); }

}  // namespace

Pool::Pool(Reactor& reactor, const PoolOptions& options)
    : done_(reactor),
      max_threads_(options.threads == 0 ? cores() : options.threads),
      max_queued_(options.max_queued) {}

Pool::~Pool() {
  {
    std::deque<Work> dropped;  // destroyed without the lock: nobody knows what their closures do then
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    dropped.swap(queue_);
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
}

bool Pool::submit(Job job, Job then) {
  {
    const std::lock_guard lock(mutex_);
    if (unfinished_ >= max_threads_ + max_queued_) return false;
    const bool all_taken = unfinished_ >= threads_.size();
    if (all_taken && threads_.size() < max_threads_ && !add_thread() && threads_.empty()) return false;
    queue_.push_back({std::move(job), std::move(then)});
    ++unfinished_;
  }
  wake_.notify_one();
  return true;
}

// False when the system gives none now: those there are will do, or the next job asks again.
bool Pool::add_thread() {
  try {
    threads_.emplace_back([this] { work(); });
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

void Pool::work() noexcept {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    Work work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();

    work.job();
    work.job = {};
    done_.post(std::move(work.then));

    lock.lock();
    --unfinished_;
  }
}

}  // namespace zerosuite::net
