#include "id/sequence/group.hpp"

#include <algorithm>
#include <utility>

#include "core/json.hpp"

namespace zerosuite::id {

Group::Group(net::Timers& timers, Store& store, Key key, const SourceOptions& options)
    : Source(timers, store, std::move(key), options) {}

void Group::resume() {
  const auto self = shared_from_this();
  held_ = false;
  pump();
}

std::optional<Source::Need> Group::need() {
  if (held_ || line_.empty()) return {};
  std::int64_t end = 0;
  line_.for_each([&](const Waiting& waiting) { end = std::max(end, waiting.caller.end); });
  return Need{wanted_, end};
}

void Group::supplied(const Reserved& reserved) {
  Range left = reserved.range;
  while (!line_.empty() && line_.oldest().asked) {
    const Caller& first = line_.oldest().caller;
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
  return {core::kRangeExhausted,
          core::with_json("'" + key.name + "' has come to its last value", core::Json().add("max", end - 1))};
}

}  // namespace zerosuite::id
