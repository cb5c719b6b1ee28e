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
      max_threads_((options.threads == 0 ? cores() : options.threads) + options.spare),
      max_threads_of_client_(std::max<std::size_t>(max_threads_ - 1, 1)),
      quota_{max_threads_ + options.max_queued, max_threads_ + options.max_queued} {}

Pool::~Pool() {
  {
    // Declared before the lock, so that the closures are destroyed after it is released: their destructors
    // may do anything.
    std::deque<Work> dropped;
    core::Rotation<Client, Work> dropped_too;
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    std::swap(dropped, own_);
    std::swap(dropped_too, queue_);
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
}

bool Pool::submit_for(Client client, Job job, Job then) {
  {
    const std::lock_guard lock(mutex_);
    if (!admits(client)) return false;
    const bool all_taken = unfinished_ >= threads_.size();
    if (all_taken && threads_.size() < max_threads_ && !add_thread() && threads_.empty()) return false;
    Work work{client, std::move(job), std::move(then)};
    if (client == 0) {
      own_.push_back(std::move(work));
    } else {
      queue_.push(client, std::move(work));
    }
    ++unfinished_;
  }
  wake_.notify_one();
  return true;
}

// The service's own jobs are unlimited: there are few, one for each of its files.
bool Pool::admits(Client client) const {
  return client == 0 || quota_.admits(queue_.waiting(client) + running(client), unfinished_);
}

std::size_t Pool::running(Client client) const {
  const auto found = running_.find(client);
  return found == running_.end() ? 0 : found->second;
}

// False when no thread can be started now: the existing ones do, or the next job tries again.
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
    std::optional<Work> work;
    wake_.wait(lock, [this, &work] { return stopping_ || (work = next()); });
    if (stopping_) return;
    ++running_[work->client];
    lock.unlock();

    work->job();
    work->job = {};
    done_.post(std::move(work->then));

    lock.lock();
    --unfinished_;
    if (--running_[work->client] == 0) running_.erase(work->client);
  }
}

// A client at its limit may continue when one of its jobs ends; the thread that ran it then looks here again.
std::optional<Pool::Work> Pool::next() {
  if (own_.empty())
    return queue_.pop_if([this](Client client) { return running(client) < max_threads_of_client_; });
  Work work = std::move(own_.front());
  own_.pop_front();
  return work;
}

}  // namespace zerosuite::net
