// Values of one counter that are reserved only when somebody asks for them, for all who ask at the same time
// together.
//
// If A was answered before B asked, B's value is greater, whoever serves them: B's was reserved after it
// asked, and A's before that.
#pragma once

#include <memory>

#include "core/completion_latch.hpp"
#include "id/sequence/waiter.hpp"

namespace zerosuite::id {

/// Belongs to the loop's thread; made by std::make_shared. Every caller gets values that follow one another.
/// Must not outlive its options, store and timers.
class OnDemandAllocator : public std::enable_shared_from_this<OnDemandAllocator> {
 public:
  OnDemandAllocator(net::Timers& timers, Store& store, Key key, const WaitOptions& options);

  /// Puts it in the queue. It is answered in its turn; with RangeExhausted or StoreRegressed; after `park`
  /// with Unavailable; or at once with Overloaded.
  void take(Waiter caller);
  /// Callers wait until resume(), or until their time is up.
  void hold() { held_ = true; }
  void resume();
  /// Takes no callers any more; releases `last` (may be null) when those who wait were answered.
  void stop(core::SharedLatch last);

  /// Nobody waits, here or for the store.
  bool idle() const { return queue_.empty() && !reserver_.asking() && !stopping_; }

 private:
  void pump();
  void answered(const core::Result<Reserved>& reserved);
  void supply(Range left);
  void refuse_late();
  void end_if_stopped();

  Store& store_;
  const Key key_;
  const WaitOptions& options_;
  WaitQueue<Waiter> queue_;
  Reserver reserver_;
  bool held_ = false;
  bool stopping_ = false;
  core::SharedLatch last_;  // of stop()
};

}  // namespace zerosuite::id
