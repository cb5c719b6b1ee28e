// The threads behind net::Offload.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

#include "core/keyed_hash.hpp"
#include "core/quota.hpp"
#include "core/rotation.hpp"
#include "net/offload.hpp"
#include "net/options.hpp"
#include "net/reactor.hpp"

namespace zerosuite::net {

/// No client ever occupies all threads, if there are two or more: a job cannot be interrupted, and other
/// clients must not wait until it ends. Created and destroyed on the loop's thread, and not by one of its own
/// `then`s.
class Pool final : public Offload {
 public:
  explicit Pool(Reactor& reactor, const PoolOptions& options = {});
  /// Drops jobs not yet started and waits for running ones: ask them to stop first. No further `then` runs.
  ~Pool() override;
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// A job is destroyed on its thread, before its `then` is called. Also returns false when the first thread
  /// cannot be started; if a further one cannot, the job waits for the existing threads.
  [[nodiscard]] bool submit_for(Client client, Job job, Job then) override;

 private:
  struct Work {
    Client client;
    Job job;
    Job then;
  };

  bool add_thread();
  bool admits(Client client) const;
  std::size_t running(Client client) const;
  std::optional<Work> next();
  void work() noexcept;

  Mailbox done_;
  const std::size_t max_threads_;
  const std::size_t max_threads_of_client_;
  const core::Quota quota_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Work> own_;                // the service's
  core::Rotation<Client, Work> queue_;  // the clients'
  std::unordered_map<Client, std::size_t, core::KeyedHash> running_;
  std::size_t unfinished_ = 0;  // queued or running
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace zerosuite::net
