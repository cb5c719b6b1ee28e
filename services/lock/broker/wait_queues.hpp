// The wait queues of all names: granting in order, reporting what is in the way, and finding deadlocks.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "lock/broker/deadlock.hpp"
#include "lock/broker/leases.hpp"

namespace zerosuite::lock {

/// Strictly first come, first served for each name: no waiter, readers included, overtakes one that has
/// waited for the name longer, and a set waits without holding any of its names. Loop thread only.
class WaitQueues {
 public:
  /// Called at the end of a turn, never inside a call of the queues.
  struct Events {
    /// It is the waiter's turn; it leaves the queues in this call.
    std::function<void(Waiter&)> next;
    /// The deadlock search for the waiter is done; the cycle's length is 0 if there is none.
    std::function<void(Waiter&, const Cycle&)> searched;
  };

  WaitQueues(const BrokerContext& context, const Leases& leases, Events events);

  /// Throws core::Failure(Overloaded or QueueFull) if the request may not join.
  void check_room(const Request& request) const;
  /// Puts the waiter at the end of the queues of its names. True if it may have closed a cycle: then
  /// `searched` follows, unless it leaves before.
  bool join(Waiter& waiter);
  /// Puts the waiter back near the heads of its queues: a holder unknown to the broker has one of its names.
  void rejoin(Waiter& waiter);
  /// Has no effect if the waiter is not queued.
  void leave(Waiter& waiter);

  /// Marks the name for the next serve().
  void touch(Name& name);
  void freed(const std::string& name);
  /// Grants what can be granted of the touched names, at the end of the turn.
  void serve();
  /// From now on no waiter gets its turn.
  void stop() { stopped_ = true; }

  /// The ids of the queued waiters of the hold's owner that share a name with the hold.
  static std::vector<std::uint64_t> own_waiters(const Hold& hold);
  /// What is in the way of the names.
  Busy busy(const LockSpec& spec, Busy::Reason reason) const;
  std::size_t size() const { return size_; }
  /// Number of long tasks, done in pieces, that are not finished.
  std::size_t chores() const { return handing_over_.size() + searching_.size(); }

 private:
  bool serve_next();
  void search_next();

  BrokerContext context_;
  const Leases& leases_;
  const Events events_;
  Seats seats_;
  std::deque<Name*> touched_;
  std::map<std::uint64_t, Waiter*> to_search_;  // in order of arrival
  // Separate lists, so that neither waits for other chores or for the other.
  net::Chores handing_over_;
  net::Chores searching_;
  std::size_t size_ = 0;
  std::uint64_t searches_ = 0;
  bool serving_ = false;
  bool stopped_ = false;
};

}  // namespace zerosuite::lock
