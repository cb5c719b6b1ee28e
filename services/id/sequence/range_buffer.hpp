// Values of one key, reserved in advance: enough to outlast an outage of the store at the present rate of use
// (the double buffer of Meituan's Leaf, sized by the rate instead of by the time since the last refill).
#pragma once

#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/clock.hpp"
#include "core/completion_latch.hpp"
#include "id/sequence/waiter.hpp"

namespace zerosuite::id {

/// The number of values used per second, as an exponentially weighted moving average. A plain value.
class Rate {
 public:
  explicit Rate(core::TimePoint now) : since_(now) {}

  void count(std::int64_t values) { used_ += values; }
  /// Whether look() is due.
  bool due(core::TimePoint now) const { return now - since_ >= kLook; }
  /// Adds the values counted since the last look to the average.
  void look(core::TimePoint now) {
    const double seconds = std::chrono::duration<double>(now - since_).count();
    if (seconds <= 0) return;
    const double weight = 1 - std::exp(-seconds / kSeconds);
    per_second_ += weight * (static_cast<double>(used_) / seconds - per_second_);
    used_ = 0;
    since_ = now;
  }
  double per_second() const { return per_second_; }

 private:
  static constexpr core::milliseconds kLook{100};
  static constexpr double kSeconds = 10;  // the time constant: older values weigh 1/e in total

  core::TimePoint since_;
  std::int64_t used_ = 0;
  double per_second_ = 0;
};

/// How many of a key's values are needed for `values` values of a tag; capped at 2^63 − 1.
std::int64_t raw_count(std::int64_t values, std::int64_t delta);

struct RangeBufferOptions {
  WaitOptions wait = {};
  core::milliseconds outage_budget{600'000};  ///< How long the values should last without the store.
  std::int64_t most = 1'000'000;              ///< The maximum number of values to reserve at once in advance.
  /// How long a range of a shared store may be used after it was reserved: limits what a copy of this machine
  /// could issue again.
  core::milliseconds range_life{900'000};
};

/// Belongs to the loop's thread; made by std::make_shared. Ranges are used in the order they were granted,
/// which is ascending. Must not outlive its options, store and timers.
class RangeBuffer : public std::enable_shared_from_this<RangeBuffer> {
 public:
  /// For a tag, a caller may get values of several ranges; for other keys only consecutive ones.
  RangeBuffer(net::Timers& timers, Store& store, Key key, const RangeBufferOptions& options);

  /// The next value, if one is available and no caller waits.
  std::optional<std::int64_t> one();
  /// Gives the caller its values, now or in its turn. Errors: RangeExhausted, NoSuchTag or StoreRegressed;
  /// SegmentExhausted (for a tag) or Unavailable, with {"retry_after_ms"}, after `park`; or Overloaded at
  /// once.
  void take(Waiter caller);
  /// Fails all waiters with `error`.
  void refuse_all(const core::Error& error);
  /// The tag has changed: values reserved under its old rules are given back.
  void change(const Tag& tag);
  /// The tag may have changed: gives back all values, and reads the tag again before more are given out.
  void distrust();
  /// Discards all ranges, and the reserve in flight; waiters keep waiting. Nothing is given back, since a
  /// copy of this machine might give back the same ranges.
  void void_all();
  /// No take() may follow. Releases `last` (may be null) once all waiters were served or refused and the rest
  /// was given back.
  void stop(core::SharedLatch last);

  /// Whether no caller waits and no request to the store is in flight.
  bool idle() const { return queue_.empty() && !reserver_.asking() && !stopping_; }
  std::size_t parked() const { return queue_.size(); }

  std::optional<std::int64_t> next() const;
  std::size_t ranges() const { return held_.size(); }
  std::int64_t left() const { return left_; }
  double rate();
  /// nullopt while the tag's delta is unknown.
  std::optional<std::int64_t> delta() const { return known_ ? std::optional(delta_) : std::nullopt; }

 private:
  struct Held {
    Range unused;
    std::int64_t next;  // value
    std::int64_t left;  // values
    std::int64_t delta;
    core::TimePoint until;
  };

  std::int64_t needed();
  void pump();
  void ask(std::int64_t count);
  void ask_rules();
  template <class T, class Use>
  void answered(const core::Result<T>& answer, Use use);
  void failed(const core::Error& error);
  void supply(const Reserved& reserved);
  void serve();
  void learn(const Tag& tag);
  void refuse_late();
  void end_if_stopped();
  void give_back(const core::SharedLatch& last);
  void drop_expired();
  bool can_serve(const Waiter& caller);
  std::vector<Series> deal(const Waiter& caller);
  Series cut(std::int64_t count);
  void drop();
  void measure();
  void set_bounds();

  net::Timers& timers_;
  Store& store_;
  const Key key_;
  const RangeBufferOptions& options_;
  WaitQueue<Waiter> queue_;
  Reserver reserver_;
  bool known_;  // whether the tag's rules are known
  bool stopping_ = false;
  bool stopped_ = false;
  core::SharedLatch last_;  // the argument of stop()
  std::int64_t step_ = 1'000;
  std::int64_t delta_ = 1;
  std::int64_t remainder_ = 0;
  std::vector<Held> held_;
  std::int64_t left_ = 0;
  std::int64_t low_ = 0;          // a refill begins below this
  std::int64_t full_ = 0;         // and reserves up to this
  core::TimePoint not_before_{};  // no advance reservation before this
  Rate rate_;
};

}  // namespace zerosuite::id
