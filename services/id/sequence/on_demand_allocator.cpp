#include "id/sequence/on_demand_allocator.hpp"

#include <algorithm>
#include <utility>

#include "core/json.hpp"

namespace zerosuite::id {

OnDemandAllocator::OnDemandAllocator(net::Timers& timers, Store& store, Key key,
                                     const RangeAllocatorOptions& options)
    : RangeAllocator(timers, store, std::move(key), options) {}

void OnDemandAllocator::resume() {
  const auto self = shared_from_this();
  held_ = false;
  pump();
}

std::optional<RangeAllocator::Need> OnDemandAllocator::need() {
  if (held_ || queue_.empty()) return {};
  std::int64_t end = 0;
  queue_.for_each([&](const Waiting& waiting) { end = std::max(end, waiting.caller.end); });
  return Need{wanted_, end};
}

void OnDemandAllocator::supplied(const Reserved& reserved) {
  Range left = reserved.range;
  while (!queue_.empty() && queue_.oldest().asked) {
    const Waiter& first = queue_.oldest().caller;
    if (first.count > std::min(left.hi, first.end) - left.lo) {
      answer_oldest(range_exhausted(key_, first.end));
      continue;
    }
    const Series dealt{left.lo, first.count};
    left.lo += first.count;
    answer_oldest(std::vector<Series>{dealt});
  }
}

core::Error range_exhausted(const Key& key, std::int64_t end) {
  return {core::kRangeExhausted, "'" + key.name + "' has come to its last value",
          core::Json().add("max", end - 1)};
}

}  // namespace zerosuite::id
