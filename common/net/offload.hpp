// Takes blocking work (a commit to disk, a name lookup, a method registered as blocking) off the loop. Only
// the files net/offload* have threads and locks.
#pragma once

#include <cstdint>
#include <utility>

#include "core/function.hpp"

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

}  // namespace zerosuite::net
