#include "id/sequence/range_buffer.hpp"

#include <algorithm>
#include <utility>

namespace zerosuite::id {
namespace {

constexpr core::milliseconds kRest{1'000};  // no advance reservation of an exhausted or unknown key
constexpr double kMostKept = 1e15;

}  // namespace

std::int64_t raw_count(std::int64_t values, std::int64_t delta) {
  std::int64_t raw = 0;
  return __builtin_mul_overflow(values, delta, &raw) ? std::numeric_limits<std::int64_t>::max() : raw;
}

RangeBuffer::RangeBuffer(net::Timers& timers, Store& store, Key key, const RangeBufferOptions& options)
    : timers_(timers),
      store_(store),
      key_(std::move(key)),
      options_(options),
      queue_(timers, options.wait.max_parked, options.wait.park, [this] { refuse_late(); }),
      reserver_(timers, options.wait.pauses,
                [this] {
                  const auto self = shared_from_this();
                  pump();
                }),
      known_(key_.kind != Key::Kind::kTag),
      rate_(timers.now()) {
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
  const auto self = shared_from_this();
  if (queue_.empty() && can_serve(caller)) {
    caller.done(deal(caller));
    if (left_ < low_) pump();
    return;
  }
  if (auto refused = refusal(key_, caller.client, queue_, reserver_)) return caller.done(*std::move(refused));
  const Client client = caller.client;
  const std::int64_t count = caller.count;
  queue_.push(client, count, std::move(caller));
  serve();
  pump();
}

void RangeBuffer::refuse_all(const core::Error& error) {
  const auto self = shared_from_this();
  queue_.answer_all(error);
}

void RangeBuffer::refuse_late() {
  const auto self = shared_from_this();
  queue_.answer_late([this] { return too_late(key_, options_.wait, reserver_); });
  end_if_stopped();
}

// A caller that wants one series gets the first that is long enough; the ranges before it are given up, since
// values given out later must not be smaller.
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

// The number of the key's values to reserve now; 0 = none.
std::int64_t RangeBuffer::needed() {
  if (stopping_ && queue_.empty()) return 0;
  drop_expired();
  if (rate_.due(timers_.now())) measure();
  if (queue_.empty() && (left_ >= low_ || timers_.now() < not_before_)) return 0;
  // The values left may not be contiguous.
  const std::int64_t piece = !queue_.empty() && queue_.first().whole ? queue_.first().count : 0;
  const std::int64_t wanted = queue_.left();
  const std::int64_t missing = std::max(std::max(full_, 2 * wanted) - left_, piece);
  const std::int64_t most = std::max({options_.most, wanted - left_, piece});
  return raw_count(std::max(step_, std::min(missing, most)), delta_);
}

void RangeBuffer::pump() {
  if (const std::int64_t count = reserver_.ready() ? needed() : 0; count > 0) {
    queue_.mark_all();
    known_ ? ask(count) : ask_rules();
  }
  end_if_stopped();
}

void RangeBuffer::ask(std::int64_t count) {
  store_.reserve({.key = key_, .count = count}, [weak = weak_from_this(), generation = reserver_.begin()](
                                                    const core::Result<Reserved>& reserved) {
    const auto self = weak.lock();
    if (self == nullptr) return;
    self->answered(reserved, [&] {
      if (self->reserver_.is_present(generation)) self->supply(*reserved);
    });
  });
}

void RangeBuffer::ask_rules() {
  reserver_.begin();
  store_.tag(key_.name, [weak = weak_from_this()](const core::Result<Tag>& tag) {
    if (const auto self = weak.lock()) self->answered(tag, [&] { self->learn(*tag); });
  });
}

template <class T, class Use>
void RangeBuffer::answered(const core::Result<T>& answer, Use use) {
  if (answer) {
    reserver_.succeeded();
    use();
  } else {
    failed(answer.error());
  }
  reserver_.end();
  pump();
}

void RangeBuffer::failed(const core::Error& error) {
  if (error.name == core::kRangeExhausted.name || error.name == core::kNoSuchTag.name) {
    not_before_ = timers_.now() + kRest;
    if (error.name == core::kNoSuchTag.name) drop();
    return queue_.answer_marked(error);
  }
  // Only an operator can resolve that; the callers that come later may find it resolved.
  if (error.name == core::kStoreRegressed.name) queue_.answer_marked(error);
  reserver_.failed(error);
}

void RangeBuffer::supply(const Reserved& reserved) {
  if (reserved.tag) learn(*reserved.tag);
  const Range& range = reserved.range;
  // Callers of a counter get consecutive values, so ranges that the new one does not continue are given up.
  if (key_.kind != Key::Kind::kTag && !held_.empty() && held_.back().unused.hi != range.lo) drop();
  const std::int64_t skipped = (delta_ + remainder_ - range.lo % delta_) % delta_;
  if (skipped < range.size()) {
    const std::int64_t values = (range.size() - 1 - skipped) / delta_ + 1;
    const auto until = store_.traits().shared ? timers_.now() + options_.range_life : core::TimePoint::max();
    held_.push_back({range, range.lo + skipped, values, delta_, until});
    left_ += values;
  }
  serve();
}

void RangeBuffer::serve() {
  while (!queue_.empty() && can_serve(queue_.first())) {
    queue_.served(queue_.first().count);
    queue_.answer_first(deal(queue_.first()));
  }
}

void RangeBuffer::learn(const Tag& tag) {
  known_ = true;
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
  const double budget = std::chrono::duration<double>(options_.outage_budget).count();
  const double target = std::min(rate_.per_second() * budget, kMostKept);
  // The two differ, so that refills are occasional instead of one per value.
  low_ = std::max(step_ - step_ / 10, static_cast<std::int64_t>(target * 9 / 8));
  full_ = std::max(step_, static_cast<std::int64_t>(target * 5 / 4));
}

void RangeBuffer::give_back(const core::SharedLatch& last) {
  drop_expired();
  // The newest first, so that adjacent ranges are all given back.
  for (auto held = held_.rbegin(); held != held_.rend(); ++held)
    store_.give_back(key_, held->unused, [last](const core::Result<bool>&) {});
  drop();
}

void RangeBuffer::change(const Tag& tag) {
  reserver_.void_all();
  give_back(nullptr);
  not_before_ = {};
  learn(tag);
}

void RangeBuffer::distrust() {
  reserver_.void_all();
  give_back(nullptr);
  not_before_ = {};
  known_ = key_.kind != Key::Kind::kTag;
  pump();
}

void RangeBuffer::void_all() {
  reserver_.void_all();
  drop();
}

void RangeBuffer::stop(core::SharedLatch last) {
  const auto self = shared_from_this();
  stopping_ = true;
  last_ = std::move(last);
  end_if_stopped();
}

void RangeBuffer::end_if_stopped() {
  if (!stopping_ || stopped_ || !queue_.empty() || reserver_.asking()) return;
  stopped_ = true;
  give_back(std::exchange(last_, nullptr));
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
