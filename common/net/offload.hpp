// Work that can only block (a commit to disk, a name lookup, a method registered as blocking) leaves the loop
// here. The files net/offload* are the only ones with threads and locks.
#pragma once

#include <cstdint>
#include <utility>

#include "core/function.hpp"

namespace zerosuite::net {

/// The seam: a pool of threads in production, a list worked off by hand in tests.
class Offload {
 public:
  using Job = core::MoveFunction<void()>;
  /// Whom a job is for, as a number that is the same for all of one client's. 0 = nobody in particular: it is
  /// the service's own.
  using Client = std::uint64_t;

  virtual ~Offload() = default;

  /// Runs `job` on some other thread, then `then` on the loop's thread. One client's jobs start in order of
  /// submission, and clients take turns; the service's own come before all of them. Neither may throw. False
  /// when there is no room for one more of this client: nothing was taken. Call it on the loop's thread.
  [[nodiscard]] virtual bool submit_for(Client client, Job job, Job then) = 0;
  /// The same for the service's own.
  [[nodiscard]] bool submit(Job job, Job then) { return submit_for(0, std::move(job), std::move(then)); }
};

}  // namespace zerosuite::net
