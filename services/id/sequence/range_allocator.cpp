#include "id/sequence/range_allocator.hpp"

#include <algorithm>
#include <utility>

#include "core/json.hpp"

namespace zerosuite::id {

using core::Error, core::Json, core::Result;

RangeAllocator::RangeAllocator(net::Timers& timers, Store& store, Key key,
                               const RangeAllocatorOptions& options)
    : timers_(timers),
      store_(store),
      key_(std::move(key)),
      options_(options),
      queue_(options.max_parked),
      known_(key_.kind != Key::Kind::kTag),
      late_(timers, [this] { refuse_late(); }),
      retry_(timers, [this] {
        const auto self = shared_from_this();
        pump();
      }) {}

void RangeAllocator::park(Waiter caller) {
  // Not to be waited for; and when it is over, somebody must find out.
  if (trouble_ && trouble_->name == core::kStoreRegressed.name && retry_.armed())
    return caller.done(*trouble_);
  if (!queue_.has_room(caller.client)) {
    return caller.done(Error{core::kOverloaded,
                             std::to_string(queue_.size()) + " callers wait for '" + key_.name + "' already",
                             Json().add("retry_after_ms", options_.first_retry.count())});
  }
  const auto self = shared_from_this();
  const auto until = timers_.now() + options_.park;
  if (queue_.empty()) late_.at(until);
  wanted_ += caller.count;
  const Client client = caller.client;
  const std::int64_t count = caller.count;
  queue_.push(client, count, {std::move(caller), until, false});
  serve();
  pump();
}

void RangeAllocator::answer(Waiting waiting, Result<std::vector<Series>> result) {
  wanted_ -= waiting.caller.count;
  if (queue_.empty()) {
    late_.cancel();
  } else {
    late_.at(queue_.oldest().until);
  }
  waiting.caller.done(std::move(result));
}

void RangeAllocator::refuse_all(const Error& error) {
  const auto self = shared_from_this();
  for (std::size_t left = queue_.size(); left > 0 && !queue_.empty(); --left) answer_oldest(error);
}

void RangeAllocator::refuse_late() {
  const auto self = shared_from_this();
  while (!queue_.empty() && queue_.oldest().until <= timers_.now()) answer_oldest(too_late());
  end_if_stopped();
}

Error RangeAllocator::too_late() const {
  std::string words =
      "'" + key_.name + "': nothing came within " + std::to_string(options_.park.count()) + " ms";
  if (trouble_) words += "; " + trouble_->name + ": " + trouble_->message;
  const auto& name = key_.kind == Key::Kind::kTag ? core::kSegmentExhausted : core::kUnavailable;
  const auto pause = std::max(pause_, options_.first_retry);
  return {name, std::move(words), Json().add("retry_after_ms", pause.count())};
}

void RangeAllocator::pump() {
  if (pumping_) return;  // an answer came before the call returned: the loop below goes on
  pumping_ = true;
  while (!asking_ && !retry_.armed()) {
    const auto needed = stopping_ && queue_.empty() ? std::nullopt : need();
    if (!needed) break;
    queue_.for_each([](Waiting& waiting) { waiting.asked = true; });
    asking_ = true;
    known_ ? ask(*needed) : ask_rules();
  }
  pumping_ = false;
  end_if_stopped();
}

void RangeAllocator::ask_rules() {
  store_.tag(key_.name, [weak = weak_from_this()](const Result<Tag>& tag) {
    if (const auto self = weak.lock()) self->answered(tag, [&] { self->learn(*tag); });
  });
}

void RangeAllocator::ask(const Need& need) {
  store_.reserve({.key = key_, .count = need.count, .end = need.end},
                 [weak = weak_from_this(), round = round_](const Result<Reserved>& reserved) {
                   const auto self = weak.lock();
                   if (self) self->answered(reserved, [&] { self->take_in(*reserved, round); });
                 });
}

template <class T, class Use>
void RangeAllocator::answered(const Result<T>& answer, Use use) {
  asking_ = false;
  // Whoever is answered may ask again: his reserve is sent when all of this answer is dealt out.
  const bool within_pump = std::exchange(pumping_, true);
  if (answer) {
    trouble_.reset();
    pause_ = core::milliseconds(0);
    use();
  } else {
    failed(answer.error());
  }
  pumping_ = within_pump;
  pump();
}

void RangeAllocator::take_in(const Reserved& reserved, std::uint64_t round) {
  if (round != round_) return;
  if (reserved.tag) learn(*reserved.tag);
  supplied(reserved);
}

void RangeAllocator::failed(const Error& error) {
  if (error.name == core::kRangeExhausted.name || error.name == core::kNoSuchTag.name)
    return exhausted(error);
  // Only an operator can change that; whoever comes later may find that he has.
  if (error.name == core::kStoreRegressed.name) refuse_asked(error);
  trouble_ = error;
  pause_ = std::clamp(2 * pause_, options_.first_retry, options_.last_retry);
  retry_.after(pause_);
}

void RangeAllocator::exhausted(const Error& error) { refuse_asked(error); }

// Whoever came later stands behind them.
void RangeAllocator::refuse_asked(const Error& error) {
  while (!queue_.empty() && queue_.oldest().asked) answer_oldest(error);
}

void RangeAllocator::learn(const Tag&) { known_ = true; }

void RangeAllocator::void_all() { ++round_; }

void RangeAllocator::stop(core::SharedLatch last) {
  const auto self = shared_from_this();
  stopping_ = true;
  last_ = std::move(last);
  end_if_stopped();
}

void RangeAllocator::end_if_stopped() {
  if (!stopping_ || stopped_ || !queue_.empty() || asking_) return;
  stopped_ = true;
  give_back(std::exchange(last_, nullptr));
}

}  // namespace zerosuite::id
