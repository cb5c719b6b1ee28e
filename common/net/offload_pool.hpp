// The threads behind net::Offload.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "net/offload.hpp"
#include "net/offload_mailbox.hpp"
#include "net/reactor.hpp"

namespace zerosuite::net {

struct PoolOptions {
  std::size_t threads =
      0;  ///< At most; 0 = one for each core. Started as jobs come, so an idle service has none.
  std::size_t max_queued =
      10000;  ///< Jobs waiting while all threads are busy; beyond it submit() answers false.
};

/// Made and destroyed on the loop's thread, not by a `then` of its own.
class Pool final : public Offload {
 public:
  explicit Pool(Reactor& reactor, const PoolOptions& options = {});
  /// Jobs not yet started are dropped; running ones are waited for: ask them to stop first. No `then` runs
  /// any more.
  ~Pool() override;
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// A job is destroyed on its thread, before its `then` is called. False also when the system gives no first
  /// thread; without a further one the job waits for those there are.
  [[nodiscard]] bool submit(Job job, Job then) override;

 private:
  struct Work {
    Job job;
    Job then;
  };

  bool add_thread();
  void work() noexcept;

  Mailbox done_;
  const std::size_t max_threads_;
  const std::size_t max_queued_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Work> queue_;
  std::size_t unfinished_ = 0;  // queued or running
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace zerosuite::net
