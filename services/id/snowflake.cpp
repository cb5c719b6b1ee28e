#include "id/snowflake.hpp"

#include <algorithm>
#include <utility>

#include "core/json.hpp"

namespace zerosuite::id {
namespace {

using core::Error, core::milliseconds, core::Result;

constexpr milliseconds kFirstPause{50};
constexpr milliseconds kLongestPause{1'000};

std::int64_t ticks_of(milliseconds duration, const Layout& layout) {
  return std::max<std::int64_t>(duration.count() * 1000 / layout.unit_us, 1);
}

core::Json retry_after(milliseconds wait) { return core::Json().add("retry_after_ms", wait.count()); }

}  // namespace

Snowflake::Snowflake(const SnowflakeParts& parts, Layout layout, const SnowflakeOptions& options)
    : parts_(parts),
      options_(options),
      window_ticks_(ticks_of(options.window, layout)),
      lead_ticks_(ticks_of(options.burst_lead, layout)),
      cursor_(std::move(layout), parts.entropy),
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
  if (!line_.empty() || refusal(now)) return std::nullopt;
  follow(now);
  const std::int64_t now_tick = layout().tick_at(now.ns);
  const std::int64_t id = cursor_.one(end_tick(now_tick));
  if (id < 0) return std::nullopt;
  refill(now_tick);
  return id;
}

void Snowflake::take(std::int64_t n, core::Done<Runs> done) {
  if (auto refused = refusal(parts_.time.look())) return done(std::move(*refused));
  if (line_.size() >= options_.max_parked)
    return done(Error{core::kOverloaded, core::with_json("too many callers wait for ids already",
                                                         retry_after(options_.burst_lead))});
  line_.push_back({n, {}, parts_.timers.now() + options_.park, std::move(done)});
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
    return Error{core::kClockRollback, core::with_json("the clock is too far behind the ids that were issued",
                                                       retry_after(now.wait))};
  const std::int64_t tick = layout().tick_at(now.ns);
  if (tick >= 0 && tick < layout().ticks()) return std::nullopt;
  return Error{core::kTimeExhausted, "layout " + layout().name + " cannot express the time " +
                                         std::to_string(now.ns / 1'000'000) + " ms after 1970"};
}

// Drops what must not be used any more, and moves the cursor to where it may go on.
void Snowflake::follow(const Now& now) {
  if (breaks_ != now.breaks || generation_ != parts_.worker.generation()) {
    window_ = {};
    breaks_ = now.breaks;
    generation_ = parts_.worker.generation();
    cursor_.set_worker(parts_.worker.lease().worker);
  }
  cursor_.move_to(std::max(layout().tick_at(now.ns), window_.lo));
}

std::int64_t Snowflake::end_tick(std::int64_t now_tick) const {
  return std::min(window_.hi, now_tick + lead_ticks_ + 1);
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
    while (!line_.empty()) answer_first(*refused);
    return false;
  }
  follow(now);
  const std::int64_t now_tick = layout().tick_at(now.ns);
  while (!line_.empty()) {
    Parked& first = line_.front();
    first.left -= cursor_.take(first.left, end_tick(now_tick), first.runs);
    if (first.left > 0) break;
    answer_first(std::move(first.runs));
  }
  refuse_late();
  const std::int64_t had = window_.hi;
  refill(now_tick);
  return !line_.empty() && window_.hi != had;
}

void Snowflake::answer_first(Result<Runs> result) {
  auto done = std::move(line_.front().done);
  line_.pop_front();
  done(std::move(result));
}

// Whether it is the store that is waited for, and not that time passes.
bool Snowflake::starved() const { return cursor_.untouched() >= window_.hi; }

void Snowflake::refuse_late() {
  while (!line_.empty() && line_.front().until <= parts_.timers.now()) {
    if (!starved()) {
      answer_first(Error{core::kOverloaded, core::with_json("more ids are asked for than the layout has",
                                                            retry_after(options_.burst_lead))});
    } else {
      const bool kept = trouble_ && trouble_->name == core::kStorageError.name;
      const std::string why = trouble_ ? core::without_json(trouble_->message) : "the store does not answer";
      answer_first(Error{kept ? core::kStorageError : core::kUnavailable,
                         core::with_json("no ticks can be reserved: " + why, retry_after(kLongestPause))});
    }
  }
}

void Snowflake::refill(std::int64_t now_tick) {
  if (asking_ || stopping_ || parts_.timers.now() < ask_after_) return;
  const std::int64_t from = std::max(now_tick, cursor_.untouched());
  const std::int64_t end = std::max(window_.hi, from);
  if (end - from >= std::max<std::int64_t>(window_ticks_ / 2, 1)) return;
  if (end >= layout().ticks()) return exhausted();
  asking_ = true;
  // The owner before may have reserved a window that a fail-over of the store has forgotten: one is left out.
  const bool fresh = skipped_generation_ != generation_;
  const bool forgetful = parts_.worker.lease().taken_over && parts_.store.traits().shared;
  const std::int64_t skip = fresh && forgetful ? window_ticks_ : 0;
  const Ask ask{.key = key(), .count = skip + window_ticks_, .floor = end, .end = layout().ticks()};
  parts_.store.reserve(
      ask, [this, skip, breaks = breaks_, generation = generation_](const Result<Reserved>& answer) {
        asking_ = false;
        const bool present = breaks == parts_.time.breaks() && generation == parts_.worker.generation();
        if (!answer) {
          refused(answer.error());
        } else if (present) {
          skipped_generation_ = generation;
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
  while (!line_.empty()) {
    answer_first(Error{core::kTimeExhausted, "the last tick of layout " + layout().name + " is used up"});
  }
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
  if (line_.empty()) return again_.cancel();
  const core::TimePoint until = line_.front().until;
  const auto tick = milliseconds(std::max<std::int64_t>(layout().unit_us / 1000, 1));
  const core::TimePoint next = !starved() ? parts_.timers.now() + tick : asking_ ? until : ask_after_;
  again_.at(std::min(next, until));
}

void Snowflake::stop(core::MoveFunction<void()> done) {
  stopping_ = true;
  then_ = std::move(done);
  while (!line_.empty()) answer_first(Error{core::kShuttingDown, "the service is stopping"});
  again_.cancel();
  if (!asking_) give_back();  // else once it is known what was reserved last
}

void Snowflake::give_back() {
  const Now now = parts_.time.look();
  const bool ours =
      breaks_ == now.breaks && generation_ == parts_.worker.generation() && !parts_.worker.check(now.boot_ns);
  const Range unused{std::max(cursor_.untouched(), window_.lo), window_.hi};
  auto then = std::move(then_);
  if (!ours || unused.size() <= 0) return then();
  parts_.store.give_back(key(), unused, [then = std::move(then)](const Result<bool>&) mutable { then(); });
}

}  // namespace zerosuite::id
