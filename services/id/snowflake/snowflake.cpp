#include "id/snowflake/snowflake.hpp"

#include <algorithm>
#include <utility>

#include "core/json.hpp"

namespace zerosuite::id {
namespace {

using core::Error, core::milliseconds, core::Result;

constexpr Reserver::Pauses kPauses{milliseconds(50), milliseconds(1'000)};
// Small requests may run ahead by 1/kKeptPart of burst_lead more, so that they do not wait behind large ones
// that use it up. A request for at most 1/kSmallPart of its ids is small.
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
      queue_(parts.timers, options.max_parked, options.park, [this] { advance(); }),
      reserver_(parts.timers, kPauses,
                [this] {
                  if (!queue_.empty()) advance();
                }),
      next_tick_(parts.timers, [this] { advance(); }) {}

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
  if (queue_.empty() && !serving_) {  // the usual case: there are enough ids
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
  queue_.push(client, n, {n, std::move(runs), std::move(done)});
  if (taken > 0) queue_.served(taken);
  advance();
}

// Errors that waiting for the store would not resolve.
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

// Discards what was reserved before a discontinuity, or for another worker id.
void Snowflake::drop_stale(std::uint64_t discontinuities) {
  if (discontinuities_ == discontinuities && generation_ == parts_.worker.generation()) return;
  window_ = {};
  reserver_.void_all();
  discontinuities_ = discontinuities;
  generation_ = parts_.worker.generation();
  cursor_.set_worker(parts_.worker.lease().worker);
}

// Moves the cursor to the present tick or the beginning of the window.
void Snowflake::follow(const Now& now) {
  drop_stale(now.discontinuities);
  cursor_.move_to(std::max(layout().tick_at(now.ns), window_.lo));
}

std::int64_t Snowflake::end_tick(std::int64_t now_tick, std::int64_t n) const {
  const std::int64_t more = n > small_ ? 0 : kept_ticks_;
  return std::min(window_.hi, now_tick + lead_ticks_ + more + 1);
}

void Snowflake::advance() {
  if (serving_) return;  // called by a completed caller's callback: the loop below serves it in its turn
  const Now now = parts_.time.look();
  if (const auto refused = refusal(now)) return queue_.answer_all(*refused);
  follow(now);
  const std::int64_t now_tick = layout().tick_at(now.ns);
  serving_ = true;
  serve(now_tick);
  queue_.answer_late([this] { return too_late(); });
  refill(now_tick);
  serving_ = false;
  const bool awaits_store = starved() && !reserver_.ready();
  if (queue_.empty() || awaits_store) return next_tick_.cancel();
  next_tick_.after(milliseconds(std::max<std::int64_t>(layout().unit_us / 1000, 1)));
}

void Snowflake::serve(std::int64_t now_tick) {
  while (!queue_.empty()) {
    Parked& first = queue_.first();
    const std::int64_t left = queue_.first_left();
    const std::int64_t taken = cursor_.take(left, end_tick(now_tick, first.n), first.runs);
    queue_.served(taken);
    if (taken < left) return;
    queue_.answer_first(std::move(first.runs));
  }
}

// Whether callers wait for the store, not for time to pass.
bool Snowflake::starved() const { return cursor_.untouched() >= window_.hi; }

Error Snowflake::too_late() const {
  if (!starved())
    return {core::kOverloaded, "more ids are asked for than the layout has",
            retry_after(options_.burst_lead)};
  const auto& trouble = reserver_.trouble();
  const std::string why = trouble ? trouble->message : "the store does not answer";
  const bool kept =
      trouble && (trouble->name == core::kStorageError.name || trouble->name == core::kStoreRegressed.name);
  return {kept ? trouble->name : std::string(core::kUnavailable), "no ticks can be reserved: " + why,
          retry_after(kPauses.longest)};
}

// Reserves at least what the waiters can use now, and keeps at least half a window in reserve.
void Snowflake::refill(std::int64_t now_tick) {
  if (stopping_ || !reserver_.ready()) return;
  const std::int64_t from = std::max(now_tick, cursor_.untouched());
  const std::int64_t end = std::max(window_.hi, from);
  if (queue_.empty() && end - from >= std::max<std::int64_t>(full_window_ticks_ / 2, 1))
    return;  // the usual case
  const std::int64_t window = ticks_of(ahead_.size(), layout());
  const std::int64_t per_tick = layout().sequences() - layout().first_sequence();
  const std::int64_t usable = std::max<std::int64_t>(now_tick + lead_ticks_ + 1 - from, 0);
  const std::int64_t wanted = std::min(queue_.left() / per_tick + 1, usable);
  if (end - from >= std::max({window / 2, wanted, std::int64_t{1}})) return;
  if (end >= layout().ticks()) return exhausted();
  ask_ticks({.key = key(),
             .count = std::max(window, from + wanted - end),
             .floor = end,
             .end = layout().ticks(),
             .continued = skipped_generation_ == generation_});
}

void Snowflake::ask_ticks(ReserveRequest ask) {
  // The previous owner may have reserved a window that was lost in a fail-over of the store: one window is
  // skipped.
  const bool forgetful = parts_.worker.lease().taken_over && parts_.store.traits().shared;
  const std::int64_t skip = !ask.continued && forgetful ? ticks_of(options_.window, layout()) : 0;
  ask.count += skip;
  parts_.store.reserve(ask, [this, generation = reserver_.begin(), skip](const Result<Reserved>& answer) {
    answered(answer, generation, skip);
  });
}

void Snowflake::answered(const Result<Reserved>& answer, Reserver::Generation generation, std::int64_t skip) {
  drop_stale(parts_.time.discontinuities());
  if (!answer) {
    reserver_.failed(answer.error());
    if (answer.error().name == core::kRangeExhausted.name) exhausted();
  } else if (reserver_.is_present(generation)) {
    reserver_.succeeded();
    skipped_generation_ = generation_;
    const Range& range = answer->range;
    ahead_.begins(range.lo > layout().tick_at(parts_.time.look().ns));
    supply({std::min(range.lo + skip, range.hi), range.hi});
  }
  reserver_.end();
  if (stopping_) return give_back();
  advance();
}

// The layout has no more ticks to reserve.
void Snowflake::exhausted() {
  if (!starved()) return;
  queue_.answer_all({core::kTimeExhausted, "the last tick of layout " + layout().name + " is used up"});
}

void Snowflake::supply(const Range& range) {
  if (window_.hi == range.lo) {
    window_.hi = range.hi;
  } else {
    window_ = range;
    parts_.time.raise(layout().time_ns(range.lo));
  }
}

void Snowflake::stop(core::MoveFunction<void()> done) {
  stopping_ = true;
  then_ = std::move(done);
  queue_.answer_all({core::kShuttingDown, "the service is stopping"});
  next_tick_.cancel();
  if (!reserver_.asking()) give_back();  // otherwise answered() does, once the last range is known
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
