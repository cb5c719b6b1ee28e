#include "id/sequence/range_buffer.hpp"

#include <algorithm>
#include <utility>

namespace zerosuite::id {
namespace {

constexpr core::milliseconds kRest{1'000};  // of a key that has come to its end
constexpr double kMostKept = 1e15;

}  // namespace

std::int64_t raw_count(std::int64_t values, std::int64_t delta) {
  std::int64_t raw = 0;
  return __builtin_mul_overflow(values, delta, &raw) ? std::numeric_limits<std::int64_t>::max() : raw;
}

RangeBuffer::RangeBuffer(net::Timers& timers, Store& store, Key key, const RangeBufferOptions& options)
    : RangeAllocator(timers, store, std::move(key), options.source), limits_(options), rate_(timers.now()) {
  if (known_) set_bounds();
}

std::optional<std::int64_t> RangeBuffer::one() {
  if (!queue_.empty()) return {};
  drop_expired();
  if (left_ == 0) return {};
  const std::int64_t value = cut(1).first;
  rate_.count(1);
  if (rate_.due(timers_.now())) measure();
  if (left_ < low_) pump();
  return value;
}

void RangeBuffer::take(Waiter caller) {
  drop_expired();
  if (!queue_.empty() || !can_serve(caller)) return park(std::move(caller));
  const auto self = shared_from_this();
  caller.done(deal(caller));
  if (left_ < low_) pump();
}

// Who wants one series gets the first that is long enough; what is before it is given up, since nothing that
// is given out later may be less.
bool RangeBuffer::can_serve(const Waiter& caller) {
  if (left_ < caller.count) return false;
  if (!caller.whole) return true;
  auto begin = held_.begin();
  std::int64_t values = 0;
  for (auto held = begin; held != held_.end() && values < caller.count; ++held) {
    if (held != begin) {
      const Held& before = *std::prev(held);
      const bool goes_on = before.unused.hi == held->unused.lo && before.delta == held->delta;
      if (!goes_on) begin = held;
      if (!goes_on) values = 0;
    }
    values += held->left;
  }
  if (values < caller.count) return false;
  for (auto held = held_.begin(); held != begin; ++held) left_ -= held->left;
  held_.erase(held_.begin(), begin);
  return true;
}

std::vector<Series> RangeBuffer::deal(const Waiter& caller) {
  std::int64_t count = caller.count;
  if (!caller.whole) rate_.count(count);
  std::vector<Series> dealt;
  while (count > 0) {
    const Series next = cut(count);
    count -= next.count;
    Series* before = dealt.empty() ? nullptr : &dealt.back();
    if (before != nullptr && before->delta == next.delta &&
        before->first + (before->count - 1) * before->delta == next.first - next.delta) {
      before->count += next.count;
    } else {
      dealt.push_back(next);
    }
  }
  return dealt;
}

Series RangeBuffer::cut(std::int64_t count) {
  Held& held = held_.front();
  const Series series{held.next, std::min(count, held.left), held.delta};
  const std::int64_t last = series.first + (series.count - 1) * series.delta;
  held.left -= series.count;
  left_ -= series.count;
  held.unused.lo = last + 1;
  if (held.left > 0) held.next = last + held.delta;
  if (held.left == 0) held_.erase(held_.begin());
  return series;
}

std::optional<RangeAllocator::Need> RangeBuffer::need() {
  drop_expired();
  if (rate_.due(timers_.now())) measure();
  if (queue_.empty() && (left_ >= low_ || timers_.now() < not_before_)) return {};
  // What is left may be in pieces.
  const std::int64_t piece = !queue_.empty() && queue_.first().caller.whole ? queue_.first().caller.count : 0;
  const std::int64_t missing = std::max(std::max(full_, 2 * wanted_) - left_, piece);
  const std::int64_t most = std::max({limits_.most, wanted_ - left_, piece});
  return Need{.count = raw_count(std::max(step_, std::min(missing, most)), delta_)};
}

void RangeBuffer::supplied(const Reserved& reserved) {
  const Range& range = reserved.range;
  // Callers of a counter get one range each, so what does not follow on is given up.
  if (key_.kind != Key::Kind::kTag && !held_.empty() && held_.back().unused.hi != range.lo) drop();
  const std::int64_t skipped = (delta_ + remainder_ - range.lo % delta_) % delta_;
  if (skipped < range.size()) {
    const std::int64_t values = (range.size() - 1 - skipped) / delta_ + 1;
    const auto until = store_.traits().shared ? timers_.now() + limits_.range_life : core::TimePoint::max();
    held_.push_back({range, range.lo + skipped, values, delta_, until});
    left_ += values;
  }
  serve();
}

void RangeBuffer::serve() {
  while (!queue_.empty() && can_serve(queue_.first().caller)) {
    queue_.served(queue_.first().caller.count);
    answer_first(deal(queue_.first().caller));
  }
}

void RangeBuffer::learn(const Tag& tag) {
  RangeAllocator::learn(tag);
  step_ = std::max<std::int64_t>(tag.step, 1);
  delta_ = std::max<std::int64_t>(tag.delta, 1);
  remainder_ = tag.remainder;
  set_bounds();
}

void RangeBuffer::measure() {
  rate_.look(timers_.now());
  set_bounds();
}

void RangeBuffer::set_bounds() {
  const double budget = std::chrono::duration<double>(limits_.outage_budget).count();
  const double target = std::min(rate_.per_second() * budget, kMostKept);
  // Between the two, so that a refill comes once in a while instead of with every value.
  low_ = std::max(step_ - step_ / 10, static_cast<std::int64_t>(target * 9 / 8));
  full_ = std::max(step_, static_cast<std::int64_t>(target * 5 / 4));
}

void RangeBuffer::exhausted(const core::Error& error) {
  not_before_ = timers_.now() + kRest;
  if (error.name == core::kNoSuchTag.name) drop();
  RangeAllocator::exhausted(error);
}

void RangeBuffer::give_back(const core::SharedLatch& last) {
  drop_expired();
  // The newest first, so that ranges that follow one another go back whole.
  for (auto held = held_.rbegin(); held != held_.rend(); ++held)
    store_.give_back(key_, held->unused, [last](const core::Result<bool>&) {});
  drop();
}

void RangeBuffer::change(const Tag& tag) {
  const auto self = shared_from_this();
  RangeAllocator::void_all();
  give_back(nullptr);
  not_before_ = {};
  learn(tag);
}

void RangeBuffer::distrust() {
  const auto self = shared_from_this();
  RangeAllocator::void_all();
  give_back(nullptr);
  not_before_ = {};
  known_ = key_.kind != Key::Kind::kTag;
  pump();
}

void RangeBuffer::void_all() {
  RangeAllocator::void_all();
  drop();
}

std::optional<std::int64_t> RangeBuffer::next() const {
  if (held_.empty()) return {};
  return held_.front().next;
}

double RangeBuffer::rate() {
  if (rate_.due(timers_.now())) measure();
  return rate_.per_second();
}

void RangeBuffer::drop_expired() {
  while (!held_.empty() && held_.front().until <= timers_.now()) {
    left_ -= held_.front().left;
    held_.erase(held_.begin());
  }
}

void RangeBuffer::drop() {
  held_.clear();
  left_ = 0;
}

}  // namespace zerosuite::id
