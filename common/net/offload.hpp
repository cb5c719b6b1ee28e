// Work that can only block (a commit to disk, a name lookup, a method registered as blocking) leaves the loop
// here. The files net/offload* are the only ones with threads, locks and atomics.
#pragma once

#include "core/function.hpp"

namespace zerosuite::net {

/// The seam: a pool of threads in production, a list worked off by hand in tests.
class Offload {
 public:
  using Job = core::MoveFunction<void()>;

  virtual ~Offload() = default;

  /// Runs `job` on some other thread, then `then` on the loop's thread. Jobs start in order of submission.
  /// Neither may throw. False when the queue is full: nothing was taken. Call it on the loop's thread.
  [[nodiscard]] virtual bool submit(Job job, Job then) = 0;
};

}  // namespace zerosuite::net
