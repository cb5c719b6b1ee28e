// Values of one counter that are reserved on demand only, in one reserve for all callers that wait at that
// time.
//
// A request made after another one's reply gets a greater value, also across issuers: each value is reserved
// between its request and its reply.
#pragma once

#include <memory>

#include "core/completion_latch.hpp"
#include "id/sequence/waiter.hpp"

namespace zerosuite::id {

/// Belongs to the loop's thread; made by std::make_shared. Every caller gets consecutive values. Must not
/// outlive its options, store and timers.
class OnDemandAllocator : public std::enable_shared_from_this<OnDemandAllocator> {
 public:
  OnDemandAllocator(net::Timers& timers, Store& store, Key key, const WaitOptions& options);

  /// Queues the caller. It gets its values in its turn; or RangeExhausted or StoreRegressed; or Unavailable
  /// after `park`; or Overloaded at once.
  void take(Waiter caller);
  /// Callers wait until resume(), or until their deadline.
  void hold() { held_ = true; }
  void resume();
  /// No take() may follow. Releases `last` (may be null) once all waiters were served or refused.
  void stop(core::SharedLatch last);

  /// Whether no caller waits and no request to the store is in flight.
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
  core::SharedLatch last_;  // the argument of stop()
};

}  // namespace zerosuite::id
