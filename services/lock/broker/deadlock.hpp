// Deadlock detection: whether a request would wait, directly or through others, for its own owner.
//
// The wait-for graph is not stored but walked when a wait begins (PostgreSQL walks it after a second of
// waiting, src/backend/storage/lmgr/README; here a walk costs microseconds). Its nodes are the waits. A wait
// depends on every place before its own in the queues of its names, and on the open waits of every owner that
// holds one of them in a conflicting mode: an owner that waits is assumed to release nothing before its wait
// ends. A place depends only on its own wait, not on its owner's other waits, perhaps of other threads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lock/broker/lock_table.hpp"

namespace zerosuite::lock {

/// One step of a cycle: `owner` waits for `name`, which the next step's owner holds or will get first.
struct Wait {
  std::string owner;
  std::string name;
};

struct Cycle {
  std::vector<Wait> steps;  ///< In order, starting with the request's own; truncated if they are too long.
  std::size_t length = 0;   ///< Of the whole cycle; 0 = there is none.
};

/// Finds the cycle closed by a waiter that has just joined its queues. `search` must differ from the numbers
/// of all earlier searches of this table. Visits every wait and owner at most once and the holders of a name
/// at most twice, and stops as soon as it is clear that nothing the waiter's owner holds is waited for.
Cycle find_cycle(Waiter& waiter, std::uint64_t search);

/// The error that reports the cycle to a client.
core::Error deadlock(const Cycle& cycle);

}  // namespace zerosuite::lock
