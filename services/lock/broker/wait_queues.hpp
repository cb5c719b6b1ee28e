// The queues of all names: who is next for each of them, who is in the way, and who waits in a circle.
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

/// Strictly first come, first served for each name: nobody is next for a name before those who have waited
/// for it longer, readers included, and a set waits without holding. Loop thread only.
class WaitQueues {
 public:
  /// Called at the end of a turn, never inside a call of the queues.
  struct Events {
    /// It is the waiter's turn: it leaves the queues in this call.
    std::function<void(Waiter&)> next;
    /// Whether the waiter closed a circle is known; its length is 0 when it did not.
    std::function<void(Waiter&, const Cycle&)> searched;
  };

  WaitQueues(const BrokerContext& context, const Leases& leases, Events events);

  /// Throws core::Failure(Overloaded or QueueFull) when it may not join.
  void check_room(const Request& request) const;
  /// To the end of the queues of its names. True when it may have closed a circle: then `searched` follows,
  /// unless it leaves before.
  bool join(Waiter& waiter);
  /// Back to their heads: somebody the broker does not know has one of its names.
  void rejoin(Waiter& waiter);
  /// Nothing when it is in no queue.
  void leave(Waiter& waiter);

  /// The name is to be looked at by the next serve().
  void touch(Name& name);
  void freed(const std::string& name);
  /// Hands over, at the end of the turn, all that was touched.
  void serve();
  /// From now on nobody is next.
  void stop() { stopped_ = true; }

  /// The ids of those in a queue who have the hold's owner and one of its names.
  static std::vector<std::uint64_t> own_waiters(const Hold& hold);
  /// Why the names are not to be had.
  Busy busy(const LockSpec& spec, Busy::Reason reason) const;
  std::size_t size() const { return size_; }
  /// Long work that is still to be done, in pieces.
  std::size_t chores() const { return handing_over_.size() + searching_.size(); }

 private:
  bool serve_next();
  void search_next();

  BrokerContext context_;
  const Leases& leases_;
  const Events events_;
  Seats seats_;
  std::deque<Name*> touched_;
  std::map<std::uint64_t, Waiter*> to_search_;  // in order of their coming
  // Lists of their own: neither waits for other chores, nor for one another.
  net::Chores handing_over_;
  net::Chores searching_;
  std::size_t size_ = 0;
  std::uint64_t searches_ = 0;
  bool serving_ = false;
  bool stopped_ = false;
};

}  // namespace zerosuite::lock
