// Takes blocking work (a commit to disk, a name lookup, a method registered as blocking) off the loop, and
// brings its results back. Only the files net/offload* have threads and locks.
#pragma once

#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "core/function.hpp"
#include "net/reactor.hpp"

namespace zerosuite::net {

/// The interface: a thread pool in production, a list run by hand in tests.
class Offload {
 public:
  using Job = core::MoveFunction<void()>;
  /// The client a job is for, as a number that is the same for all jobs of that client. 0 = the service
  /// itself.
  using Client = std::uint64_t;

  virtual ~Offload() = default;

  /// Runs `job` on some other thread, then `then` on the loop's thread. One client's jobs start in order of
  /// submission, and clients take turns; the service's own jobs come before all of them. Neither `job` nor
  /// `then` may throw. Returns false, having taken nothing, when this client has no room for another job.
  /// Loop thread only.
  [[nodiscard]] virtual bool submit_for(Client client, Job job, Job then) = 0;
  /// The same for a job of the service itself.
  [[nodiscard]] bool submit(Job job, Job then) { return submit_for(0, std::move(job), std::move(then)); }
};

/// Carries closures from any thread to the loop's thread, with an eventfd as doorbell. Created and destroyed
/// on the loop's thread, and not by one of its own jobs.
class Mailbox {
 public:
  /// Throws std::system_error when the process is out of descriptors.
  explicit Mailbox(Reactor& reactor);
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  /// Any thread. `job` runs in a later turn of the reactor, in order of posting; dropped without being run if
  /// the mailbox is destroyed first. It must not throw.
  void post(core::MoveFunction<void()> job);
  /// Any thread. Whether every job posted so far has been taken for delivery.
  bool empty() const;

 private:
  void deliver() noexcept;

  const int bell_;
  mutable std::mutex mutex_;
  std::vector<core::MoveFunction<void()>> posted_;
  std::vector<core::MoveFunction<void()>> delivering_;  // kept for its capacity
  Reactor::Watch watch_;
};

}  // namespace zerosuite::net
