// Deadlock detection: whether somebody would wait, through others, for himself.
//
// The wait-for graph is not kept but walked when a wait begins, which is the only moment at which a cycle can
// come into being: holds only pass from those who were waited for to those who waited. (PostgreSQL walks it
// after a second of waiting, src/backend/storage/lmgr/README; here a walk costs microseconds.)
#pragma once

#include <string>
#include <vector>

#include "lock/table.hpp"

namespace zerosuite::lock {

/// One step of a cycle: `owner` waits for `name`, which the next step's owner has or will have before him.
struct Wait {
  std::string owner;
  std::string name;
};

/// The cycle that an attempt just put into its queues closes, beginning with its own owner; empty when there
/// is none. Takes time in proportion to those who hold and wait for the names that can be reached.
std::vector<Wait> find_cycle(const Attempt& attempt);

/// The error that tells a client of it.
core::Error deadlock(const std::vector<Wait>& cycle);

}  // namespace zerosuite::lock
