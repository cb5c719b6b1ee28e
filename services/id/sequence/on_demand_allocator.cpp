#include "id/sequence/on_demand_allocator.hpp"

#include <algorithm>
#include <utility>

namespace zerosuite::id {

OnDemandAllocator::OnDemandAllocator(net::Timers& timers, Store& store, Key key, const WaitOptions& options)
    : store_(store),
      key_(std::move(key)),
      options_(options),
      queue_(timers, options.max_parked, options.park, [this] { refuse_late(); }),
      reserver_(timers, options.pauses, [this] {
        const auto self = shared_from_this();
        pump();
      }) {}

void OnDemandAllocator::take(Waiter caller) {
  if (auto refused = refusal(key_, caller.client, queue_, reserver_)) return caller.done(*std::move(refused));
  const Client client = caller.client;
  const std::int64_t count = caller.count;
  queue_.push(client, count, std::move(caller));
  pump();
}

void OnDemandAllocator::resume() {
  held_ = false;
  pump();
}

// One reserve for all present waiters.
void OnDemandAllocator::pump() {
  if (held_ || queue_.empty() || !reserver_.ready()) return end_if_stopped();
  std::int64_t end = 0;
  queue_.for_each([&](const Waiter& waiter) { end = std::max(end, waiter.end); });
  queue_.mark_all();
  reserver_.begin();
  store_.reserve({.key = key_, .count = queue_.left(), .end = end},
                 [weak = weak_from_this()](const core::Result<Reserved>& reserved) {
                   if (const auto self = weak.lock()) self->answered(reserved);
                 });
}

void OnDemandAllocator::answered(const core::Result<Reserved>& reserved) {
  if (reserved) {
    reserver_.succeeded();
    supply(reserved->range);
  } else if (reserved.error().name == core::kRangeExhausted.name) {
    queue_.answer_marked(reserved.error());
  } else {
    // Only an operator can resolve that; the callers that come later may find it resolved.
    if (reserved.error().name == core::kStoreRegressed.name) queue_.answer_marked(reserved.error());
    reserver_.failed(reserved.error());
  }
  reserver_.end();
  pump();
}

// Serves only the callers that were waiting when the reserve was sent.
void OnDemandAllocator::supply(Range left) {
  while (queue_.oldest_is_marked()) {
    const Waiter& oldest = queue_.oldest();
    if (oldest.count > std::min(left.hi, oldest.end) - left.lo) {
      queue_.answer_oldest(range_exhausted(key_, oldest.end));
      continue;
    }
    const Series dealt{left.lo, oldest.count};
    left.lo += oldest.count;
    queue_.answer_oldest(std::vector<Series>{dealt});
  }
}

void OnDemandAllocator::refuse_late() {
  const auto self = shared_from_this();
  queue_.answer_late([this] { return too_late(key_, options_, reserver_); });
  end_if_stopped();
}

void OnDemandAllocator::stop(core::SharedLatch last) {
  stopping_ = true;
  last_ = std::move(last);
  end_if_stopped();
}

void OnDemandAllocator::end_if_stopped() {
  if (stopping_ && queue_.empty() && !reserver_.asking()) last_.reset();
}

}  // namespace zerosuite::id
