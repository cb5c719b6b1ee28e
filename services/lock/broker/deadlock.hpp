// Deadlock detection: whether a request would wait, through others, for its own owner.
//
// The wait-for graph is not kept but walked when a wait begins (PostgreSQL walks it after a second of
// waiting, src/backend/storage/lmgr/README; here a walk costs microseconds). Its nodes are the waits. A wait
// depends on every place before its own in the queues of its names, and on the open waits of everybody who
// holds one of them in a conflicting mode: an owner that waits is taken to give nothing back before. A place
// depends on its own wait only, and not on what else its owner waits for, which may be another thread's
// business.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lock/broker/lock_table.hpp"

namespace zerosuite::lock {

/// One step of a cycle: `owner` waits for `name`, which the next step's owner holds or is to get first.
struct Wait {
  std::string owner;
  std::string name;
};

struct Cycle {
  std::vector<Wait>
      steps;               ///< In order, the request's own first. The first of them when there are very many.
  std::size_t length = 0;  ///< Of the whole cycle; 0 = there is none.
};

/// The cycle that is closed by a waiter that has just joined its queues. `search` is a number that no earlier
/// search of this table had. Visits every place, holder and owner once at most, and gives up as soon as it is
/// clear that nobody waits for what the waiter's owner holds.
Cycle find_cycle(Waiter& waiter, std::uint64_t search);

/// The error that tells a client of it.
core::Error deadlock(const Cycle& cycle);

}  // namespace zerosuite::lock
