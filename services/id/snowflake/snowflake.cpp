#include "id/snowflake/snowflake.hpp"

#include <algorithm>
#include <utility>

#include "core/json.hpp"

namespace zerosuite::id {
namespace {

using core::Error, core::milliseconds, core::Result;

constexpr milliseconds kFirstPause{50};
constexpr milliseconds kLongestPause{1'000};
// Small requests may borrow this part more, so that they do not wait for those that use up all there is; and
// this part of what can be borrowed is small.
constexpr std::int64_t kKeptPart = 50;
constexpr std::int64_t kSmallPart = 5'000;

std::int64_t ticks_of(milliseconds duration, const Layout& layout) {
  return std::max<std::int64_t>(duration.count() * 1000 / layout.unit_us, 1);
}

core::Json retry_after(milliseconds wait) { return core::Json().add("retry_after_ms", wait.count()); }

}  // namespace

Snowflake::Snowflake(const SnowflakeParts& parts, Layout layout, const SnowflakeOptions& options)
    : parts_(parts),
      options_(options),
      ahead_(parts.timers, options.window),
      full_window_ticks_(ticks_of(options.window, layout)),
      lead_ticks_(ticks_of(options.burst_lead, layout)),
      kept_ticks_(std::max<std::int64_t>(lead_ticks_ / kKeptPart, 1)),
      small_(std::max<std::int64_t>(lead_ticks_ * layout.sequences() / kSmallPart, 1)),
      cursor_(std::move(layout), parts.entropy),
      queue_(options.max_parked),
      again_(parts.timers, [this] { advance(); }) {}

std::int64_t Snowflake::most() const {
  return lead_ticks_ * (layout().sequences() - layout().first_sequence());
}

std::int64_t Snowflake::reserved_ms() const {
  return window_.hi == 0 ? 0 : layout().time_ns(window_.hi) / 1'000'000;
}

Key Snowflake::key() const {
  return {Key::Kind::kTicks, layout().fingerprint() + "/" + std::to_string(parts_.worker.lease().worker)};
}

std::optional<std::int64_t> Snowflake::one(const Now& now) {
  if (!queue_.empty() || refusal(now)) return std::nullopt;
  follow(now);
  const std::int64_t now_tick = layout().tick_at(now.ns);
  const std::int64_t id = cursor_.one(end_tick(now_tick, 1));
  if (id < 0) return std::nullopt;
  refill(now_tick);
  return id;
}

void Snowflake::take(std::int64_t n, core::Done<Runs> done, Client client) {
  const Now now = parts_.time.look();
  if (auto refused = refusal(now)) return done(std::move(*refused));
  Runs runs;
  std::int64_t taken = 0;
  if (queue_.empty() && !serving_) {  // usually there is enough for everybody, and no line
    follow(now);
    const std::int64_t now_tick = layout().tick_at(now.ns);
    taken = cursor_.take(n, end_tick(now_tick, n), runs);
    if (taken == n) {
      refill(now_tick);
      return done(std::move(runs));
    }
  }
  if (!queue_.has_room(client))
    return done(
        Error{core::kOverloaded, "too many callers wait for ids already", retry_after(options_.burst_lead)});
  wanted_ += n - taken;
  queue_.push(client, n,
              {n, n - taken, std::move(runs), parts_.timers.now() + options_.park, std::move(done)});
  if (taken > 0) queue_.served(taken);
  advance();
}

// What no waiting for the store would change.
std::optional<Error> Snowflake::refusal(const Now& now) {
  if (stopping_) return Error{core::kShuttingDown, "the service is stopping"};
  if (auto lost = parts_.worker.check(now.boot_ns)) return lost;
  if (parts_.worker.lease().worker >= layout().workers())
    return Error{core::kWorkerIdExhausted, "layout " + layout().name + " has the worker ids 0 to " +
                                               std::to_string(layout().workers() - 1) + "; this issuer is " +
                                               std::to_string(parts_.worker.lease().worker)};
  if (now.wait > milliseconds(0))
    return Error{core::kClockRollback, "the clock is too far behind the ids that were issued",
                 retry_after(now.wait)};
  const std::int64_t tick = layout().tick_at(now.ns);
  if (tick >= 0 && tick < layout().ticks()) return std::nullopt;
  return Error{core::kTimeExhausted, "layout " + layout().name + " cannot express the time " +
                                         std::to_string(now.ns / 1'000'000) + " ms after 1970"};
}

// Drops what must not be used any more, and moves the cursor to where it may go on.
void Snowflake::follow(const Now& now) {
  if (discontinuities_ != now.discontinuities || generation_ != parts_.worker.generation()) {
    window_ = {};
    discontinuities_ = now.discontinuities;
    generation_ = parts_.worker.generation();
    cursor_.set_worker(parts_.worker.lease().worker);
  }
  cursor_.move_to(std::max(layout().tick_at(now.ns), window_.lo));
}

std::int64_t Snowflake::end_tick(std::int64_t now_tick, std::int64_t n) const {
  const std::int64_t more = n > small_ ? 0 : kept_ticks_;
  return std::min(window_.hi, now_tick + lead_ticks_ + more + 1);
}

void Snowflake::advance() {
  if (std::exchange(serving_, true)) return;  // whoever is serving sees what has changed
  while (serve(parts_.time.look())) {
  }
  serving_ = false;
  wait_on();
}

// Whether the store has answered at once, so that it is worth another round.
bool Snowflake::serve(const Now& now) {
  if (const auto refused = refusal(now)) {
    refuse_all(*refused);
    return false;
  }
  follow(now);
  const std::int64_t now_tick = layout().tick_at(now.ns);
  while (!queue_.empty()) {
    Parked& first = queue_.first();
    const std::int64_t taken = cursor_.take(first.left, end_tick(now_tick, first.n), first.runs);
    first.left -= taken;
    wanted_ -= taken;
    queue_.served(taken);
    if (first.left > 0) break;
    Parked served = queue_.pop_first();
    Runs runs = std::move(served.runs);
    answer(std::move(served), std::move(runs));
  }
  refuse_late();
  const std::int64_t had = window_.hi;
  refill(now_tick);
  return !queue_.empty() && window_.hi != had;
}

void Snowflake::answer(Parked parked, Result<Runs> result) {
  wanted_ -= parked.left;
  parked.done(std::move(result));
}

void Snowflake::refuse_all(const Error& error) {
  while (!queue_.empty()) answer(queue_.pop_oldest(), error);
}

// Whether it is the store that is waited for, and not that time passes.
bool Snowflake::starved() const { return cursor_.untouched() >= window_.hi; }

void Snowflake::refuse_late() {
  while (!queue_.empty() && queue_.oldest().until <= parts_.timers.now())
    answer(queue_.pop_oldest(), too_late());
}

Error Snowflake::too_late() const {
  if (!starved())
    return {core::kOverloaded, "more ids are asked for than the layout has",
            retry_after(options_.burst_lead)};
  const std::string why = trouble_ ? trouble_->message : "the store does not answer";
  const bool kept = trouble_ && (trouble_->name == core::kStorageError.name ||
                                 trouble_->name == core::kStoreRegressed.name);
  return {kept ? trouble_->name : std::string(core::kUnavailable), "no ticks can be reserved: " + why,
          retry_after(kLongestPause)};
}

// As much as the line can use up now, and half a window more at least.
void Snowflake::refill(std::int64_t now_tick) {
  if (asking_ || stopping_ || parts_.timers.now() < ask_after_) return;
  const std::int64_t from = std::max(now_tick, cursor_.untouched());
  const std::int64_t end = std::max(window_.hi, from);
  if (wanted_ == 0 && end - from >= std::max<std::int64_t>(full_window_ticks_ / 2, 1)) return;  // as usual
  const std::int64_t window = ticks_of(ahead_.size(), layout());
  const std::int64_t per_tick = layout().sequences() - layout().first_sequence();
  const std::int64_t usable = std::max<std::int64_t>(now_tick + lead_ticks_ + 1 - from, 0);
  const std::int64_t wanted = std::min(wanted_ / per_tick + 1, usable);
  if (end - from >= std::max({window / 2, wanted, std::int64_t{1}})) return;
  if (end >= layout().ticks()) return exhausted();
  ask_ticks({.key = key(),
             .count = std::max(window, from + wanted - end),
             .floor = end,
             .end = layout().ticks(),
             .continued = skipped_generation_ == generation_});
}

void Snowflake::ask_ticks(ReserveRequest ask) {
  asking_ = true;
  // The owner before may have reserved a window that a fail-over of the store has forgotten: one is left out.
  const bool forgetful = parts_.worker.lease().taken_over && parts_.store.traits().shared;
  const std::int64_t skip = !ask.continued && forgetful ? ticks_of(options_.window, layout()) : 0;
  ask.count += skip;
  parts_.store.reserve(ask, [this, skip, discontinuities = discontinuities_,
                             generation = generation_](const Result<Reserved>& answer) {
    asking_ = false;
    const bool present =
        discontinuities == parts_.time.discontinuities() && generation == parts_.worker.generation();
    if (!answer) {
      refused(answer.error());
    } else if (present) {
      skipped_generation_ = generation;
      ahead_.begins(answer->range.lo > layout().tick_at(parts_.time.look().ns));
      reserved({std::min(answer->range.lo + skip, answer->range.hi), answer->range.hi});
    }
    if (stopping_) return give_back();
    advance();
  });
}

void Snowflake::refused(const Error& why) {
  pause_ = std::clamp(2 * pause_, kFirstPause, kLongestPause);
  ask_after_ = parts_.timers.now() + pause_;
  trouble_ = why;
  if (why.name == core::kRangeExhausted.name) exhausted();
}

// No ticks beyond these can be had.
void Snowflake::exhausted() {
  if (!starved()) return;
  refuse_all({core::kTimeExhausted, "the last tick of layout " + layout().name + " is used up"});
}

void Snowflake::reserved(const Range& range) {
  pause_ = milliseconds(0);
  trouble_.reset();
  if (window_.hi == range.lo) {
    window_.hi = range.hi;
  } else {
    window_ = range;
    parts_.time.raise(layout().time_ns(range.lo));
  }
}

void Snowflake::wait_on() {
  if (queue_.empty()) return again_.cancel();
  const core::TimePoint until = queue_.oldest().until;
  const auto tick = milliseconds(std::max<std::int64_t>(layout().unit_us / 1000, 1));
  const core::TimePoint next = !starved() ? parts_.timers.now() + tick : asking_ ? until : ask_after_;
  again_.at(std::min(next, until));
}

void Snowflake::stop(core::MoveFunction<void()> done) {
  stopping_ = true;
  then_ = std::move(done);
  refuse_all({core::kShuttingDown, "the service is stopping"});
  again_.cancel();
  if (!asking_) give_back();  // else once it is known what was reserved last
}

void Snowflake::give_back() {
  const Now now = parts_.time.look();
  const bool ours = discontinuities_ == now.discontinuities && generation_ == parts_.worker.generation() &&
                    !parts_.worker.check(now.boot_ns);
  const Range unused{std::max(cursor_.untouched(), window_.lo), window_.hi};
  auto then = std::move(then_);
  if (!ours || unused.size() <= 0) return then();
  parts_.store.give_back(key(), unused, [then = std::move(then)](const Result<bool>&) mutable { then(); });
}

}  // namespace zerosuite::id
