// Callers that wait for values from a store, all with the same timeout.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "id/snowflake/fair_queue.hpp"
#include "net/timers.hpp"

namespace zerosuite::id {

/// T has a member `done`, which is called once with a result. Belongs to the loop's thread. `done` may make
/// another call, or release the owner of this queue: the owner must keep itself alive during the answer_…()
/// calls.
template <class T>
class WaitQueue {
 public:
  /// `late` runs at the deadline of the oldest waiter, and must call answer_late().
  WaitQueue(net::Timers& timers, std::size_t max_waiting, core::milliseconds patience,
            std::function<void()> late)
      : timers_(timers),
        patience_(patience),
        late_(std::move(late)),
        queue_(max_waiting),
        deadline_(timers, [this] { check(); }) {}

  /// As in FairQueue.
  bool has_room(Client client) const { return queue_.has_room(client); }
  bool empty() const { return queue_.empty(); }
  std::size_t size() const { return queue_.size(); }
  std::int64_t left() const { return queue_.left(); }
  void push(Client client, std::int64_t cost, T caller) {
    queue_.push(client, cost, {std::move(caller), timers_.now() + patience_});
    if (!deadline_.armed()) watch();
  }
  T& first() { return queue_.first().caller; }
  std::int64_t first_left() const { return queue_.first_left(); }
  void served(std::int64_t amount) { queue_.served(amount); }
  const T& oldest() const { return queue_.oldest().caller; }
  template <class Visit>
  void for_each(Visit visit) {
    queue_.for_each([&](Waiting& waiting) { visit(waiting.caller); });
  }

  /// Marks all present waiters: a request to the store is sent on their behalf.
  void mark_all() {
    queue_.for_each([](Waiting& waiting) { waiting.marked = true; });
  }
  /// Whether the oldest waiter is marked. Waiters that came after mark_all() are behind the marked ones.
  bool oldest_is_marked() const { return !empty() && queue_.oldest().marked; }

  /// Completes first(); the queue must not be empty.
  template <class Answer>
  void answer_first(Answer answer) {
    queue_.pop_first().caller.done(std::move(answer));
  }
  template <class Answer>
  void answer_oldest(Answer answer) {
    queue_.pop_oldest().caller.done(std::move(answer));
  }
  void answer_marked(const core::Error& error) {
    while (oldest_is_marked()) answer_oldest(error);
  }
  /// Completes all present waiters, but not those that are added meanwhile.
  void answer_all(const core::Error& error) {
    for (std::size_t left = size(); left > 0 && !empty(); --left) answer_oldest(error);
  }
  /// Completes the waiters whose deadline has passed with the error that `why` returns.
  template <class Why>
  void answer_late(Why why) {
    while (is_late()) answer_oldest(core::Error(why()));
    watch();
  }

 private:
  struct Waiting {
    T caller;
    core::TimePoint until;
    bool marked = false;
  };

  bool is_late() const { return !empty() && queue_.oldest().until <= timers_.now(); }
  // The timer is not moved whenever a waiter leaves, so it may fire before the deadline of the oldest.
  void check() { is_late() ? late_() : watch(); }
  void watch() {
    if (!empty()) deadline_.at(queue_.oldest().until);
  }

  net::Timers& timers_;
  const core::milliseconds patience_;
  const std::function<void()> late_;
  FairQueue<Waiting> queue_;
  net::Timer deadline_;
};

}  // namespace zerosuite::id
