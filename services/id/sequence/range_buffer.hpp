// Values of one key, reserved before anybody asks for them: enough to outlive an outage of the store at the
// rate they are used (the double buffer of Meituan's Leaf, sized by the rate instead of by the time since the
// last refill).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "id/sequence/range_allocator.hpp"
#include "id/sequence/rate.hpp"

namespace zerosuite::id {

/// `count` values of a tag take up so many: a key has no more than 2^63.
std::int64_t raw_count(std::int64_t values, std::int64_t delta);

struct RangeBufferOptions {
  RangeAllocatorOptions source;
  core::milliseconds outage_budget{600'000};  ///< So long the values last without the store.
  std::int64_t most = 1'000'000;              ///< Values to reserve at once.
  /// A range of a shared store is not used any more so long after it was reserved: a copy of this machine may
  /// use it.
  core::milliseconds range_life{900'000};
};

/// Belongs to the loop's thread; made by std::make_shared. Ranges are used in the order they came, which is
/// ascending.
class RangeBuffer final : public RangeAllocator {
 public:
  /// `step` is the least to reserve at once, for a tag until its own is known. Of a tag, callers may get
  /// values of several ranges; else only such that follow one another.
  RangeBuffer(net::Timers& timers, Store& store, Key key, const RangeBufferOptions& options);

  /// The next value, when there is one and nobody waits.
  std::optional<std::int64_t> one();
  /// `caller`'s values, now or in his turn.
  void take(Waiter caller);
  /// The tag is this from now on; nothing that was reserved by other rules is used.
  void change(const Tag& tag);
  /// The tag may be another from now on: it is looked at again before anything more is given out.
  void distrust();
  /// Forgets all ranges, and the reserve that is under way. Nothing is given back: a copy of this machine
  /// might give the same back, too.
  void void_all() override;

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

  std::optional<Need> need() override;
  void serve() override;
  void supplied(const Reserved& reserved) override;
  void learn(const Tag& tag) override;
  void exhausted(const core::Error& error) override;
  void give_back(const core::SharedLatch& last) override;

  void drop_expired();
  bool can_serve(const Waiter& caller);
  std::vector<Series> deal(const Waiter& caller);
  Series cut(std::int64_t count);
  void drop();
  void measure();
  void set_bounds();

  const RangeBufferOptions& limits_;
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
