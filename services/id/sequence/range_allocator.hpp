// Where the values of one key come from: a line of callers, and one reserve at a time on their behalf.
//
// What is common to a RangeBuffer, which keeps values in advance, and to an OnDemandAllocator, which never
// does.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/completion_latch.hpp"
#include "id/snowflake/fair_queue.hpp"
#include "id/stores/store.hpp"
#include "net/timers.hpp"

namespace zerosuite::id {

/// Values first, first + delta, …
struct Series {
  std::int64_t first = 0;
  std::int64_t count = 0;
  std::int64_t delta = 1;

  friend bool operator==(const Series&, const Series&) = default;
};

/// Who wants values.
struct Waiter {
  Client client = 0;
  std::int64_t count = 1;
  /// All of them in one series. For the caller to use up by himself: they say nothing about the rate.
  bool whole = false;
  std::int64_t end = std::numeric_limits<std::int64_t>::max();  ///< All that he gets are below.
  core::Done<std::vector<Series>> done;
};

struct RangeAllocatorOptions {
  core::milliseconds park{2'000};      ///< A caller waits so long for the store.
  std::size_t max_parked = 50'000;     ///< So many callers of one key wait; Overloaded beyond. See
                                       ///< FairQueue::has_room().
  core::milliseconds first_retry{50};  ///< After a store error; each further one waits twice as long.
  core::milliseconds last_retry{2'000};
};

/// Belongs to the loop's thread; made by std::make_shared. Must not outlive its options, store and timers.
class RangeAllocator : public std::enable_shared_from_this<RangeAllocator> {
 public:
  virtual ~RangeAllocator() = default;
  RangeAllocator(const RangeAllocator&) = delete;
  RangeAllocator& operator=(const RangeAllocator&) = delete;

  /// Puts him in line. He is answered in his turn, or with RangeExhausted, NoSuchTag or StoreRegressed; after
  /// `park` with SegmentExhausted (of a tag) or Unavailable, with {"retry_after_ms"}; or at once with
  /// Overloaded.
  void park(Waiter caller);
  /// Answers all who wait.
  void refuse_all(const core::Error& error);
  /// What was reserved before is not used any more, nor is what is being reserved. Those who wait go on
  /// waiting.
  virtual void void_all();
  /// Takes no callers any more; lets go of `last` (may be null) when those who wait were answered and what is
  /// left was given back.
  void stop(core::SharedLatch last);

  /// Nobody waits, here or for the store.
  bool idle() const { return queue_.empty() && !asking_ && !stopping_; }
  std::size_t parked() const { return queue_.size(); }

 protected:
  struct Need {
    std::int64_t count = 1;
    std::int64_t end = std::numeric_limits<std::int64_t>::max();
  };
  struct Waiting {
    Waiter caller;
    core::TimePoint until;
    bool asked;  // before the reserve that is under way was sent
  };

  RangeAllocator(net::Timers& timers, Store& store, Key key, const RangeAllocatorOptions& options);

  /// What is to be reserved now; nullopt = nothing.
  virtual std::optional<Need> need() = 0;
  /// Serves those in line who can be served without the store.
  virtual void serve() {}
  /// Serves the line with it.
  virtual void supplied(const Reserved& reserved) = 0;
  /// Keeps the tag's rules, from which need() counts. Called before the first need() of a tag.
  virtual void learn(const Tag& tag);
  /// The store will not give any more, whoever asks.
  virtual void exhausted(const core::Error& error);
  /// Gives what is left back.
  virtual void give_back(const core::SharedLatch& last) = 0;

  /// Asks the store for what is needed, unless it is being asked or has just failed.
  void pump();
  void answer_first(core::Result<std::vector<Series>> result) {
    answer(queue_.pop_first(), std::move(result));
  }
  void answer_oldest(core::Result<std::vector<Series>> result) {
    answer(queue_.pop_oldest(), std::move(result));
  }
  /// Those who were in line when the store was asked.
  void refuse_asked(const core::Error& error);

  net::Timers& timers_;
  Store& store_;
  const Key key_;
  const RangeAllocatorOptions& options_;
  FairQueue<Waiting> queue_;
  std::int64_t wanted_ = 0;  // by the line
  bool known_;               // the tag's rules

 private:
  void answer(Waiting waiting, core::Result<std::vector<Series>> result);
  void ask_rules();
  void ask(const Need& need);
  template <class T, class Use>
  void answered(const core::Result<T>& answer, Use use);
  void take_in(const Reserved& reserved, std::uint64_t round);
  void failed(const core::Error& error);
  void refuse_late();
  void end_if_stopped();
  core::Error too_late() const;

  bool asking_ = false;
  bool pumping_ = false;
  bool stopping_ = false;
  bool stopped_ = false;
  core::SharedLatch last_;   // of stop()
  std::uint64_t round_ = 0;  // rises with void_all()
  core::milliseconds pause_{0};
  std::optional<core::Error> trouble_;  // of the last attempt
  net::Timer late_;
  net::Timer retry_;
};

}  // namespace zerosuite::id
