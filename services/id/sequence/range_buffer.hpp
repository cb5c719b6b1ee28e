// Values of one key, reserved before anybody asks for them: enough to outlive an outage of the store at the
// rate they are used (the double buffer of Meituan's Leaf, sized by the rate instead of by the time since the
// last refill).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/completion_latch.hpp"
#include "id/sequence/rate.hpp"
#include "id/sequence/waiter.hpp"

namespace zerosuite::id {

/// How many of a key's values `count` values of a tag take up: a key has no more than 2^63.
std::int64_t raw_count(std::int64_t values, std::int64_t delta);

struct RangeBufferOptions {
  WaitOptions wait = {};
  core::milliseconds outage_budget{600'000};  ///< How long the values last without the store.
  std::int64_t most = 1'000'000;              ///< The maximum number of values to reserve at once.
  /// How long a range of a shared store may be used after it was reserved: then a copy of this machine may
  /// use it.
  core::milliseconds range_life{900'000};
};

/// Belongs to the loop's thread; made by std::make_shared. Ranges are used in the order they came, which is
/// ascending. Must not outlive its options, store and timers.
class RangeBuffer : public std::enable_shared_from_this<RangeBuffer> {
 public:
  /// Of a tag, callers may get values of several ranges; else only such that follow one another.
  RangeBuffer(net::Timers& timers, Store& store, Key key, const RangeBufferOptions& options);

  /// The next value, when there is one and nobody waits.
  std::optional<std::int64_t> one();
  /// `caller`'s values, now or in its turn. RangeExhausted, NoSuchTag or StoreRegressed; after `park`
  /// SegmentExhausted (of a tag) or Unavailable, with {"retry_after_ms"}; or at once Overloaded.
  void take(Waiter caller);
  /// Answers all who wait.
  void refuse_all(const core::Error& error);
  /// The tag is this from now on; nothing that was reserved by other rules is used.
  void change(const Tag& tag);
  /// The tag may be another from now on: it is looked at again before anything more is given out.
  void distrust();
  /// Forgets all ranges, and the reserve that is under way; those who wait go on waiting. Nothing is given
  /// back: a copy of this machine might give the same back, too.
  void void_all();
  /// Takes no callers any more; releases `last` (may be null) when those who wait were answered and what is
  /// left was given back.
  void stop(core::SharedLatch last);

  /// Nobody waits, here or for the store.
  bool idle() const { return queue_.empty() && !reserver_.asking() && !stopping_; }
  std::size_t parked() const { return queue_.size(); }

  std::optional<std::int64_t> next() const;
  std::size_t ranges() const { return held_.size(); }
  std::int64_t left() const { return left_; }
  double rate();
  /// Nullopt while the tag's is not known.
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
  bool known_;  // the tag's rules
  bool stopping_ = false;
  bool stopped_ = false;
  core::SharedLatch last_;  // of stop()
  std::int64_t step_ = 1'000;
  std::int64_t delta_ = 1;
  std::int64_t remainder_ = 0;
  std::vector<Held> held_;
  std::int64_t left_ = 0;
  std::int64_t low_ = 0;          // a refill begins when less is left
  std::int64_t full_ = 0;         // and ends when so much is
  core::TimePoint not_before_{};  // nothing is reserved in advance
  Rate rate_;
};

}  // namespace zerosuite::id
