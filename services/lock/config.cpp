#include "lock/config.hpp"

#include <chrono>

namespace zerosuite::lock {
namespace {

void describe_memory(ops::OptionTable& options, Limits& limits) {
  options.add("ticket_ttl_ms", limits.ticket_ttl, {1000},
              "How long a ticket keeps its place in the queue between two waits.");
  options.add("memory_ms", limits.memory, {1000},
              "How long requests and releases are remembered, so that they may be sent again.");
  options.add("max_memory", limits.max_memory, {1},
              "Maximum number of each that are remembered; the oldest are forgotten first.");
  options.add("max_memory_bytes", limits.max_memory_bytes, {65'536},
              "Maximum size of each that is remembered; the oldest are forgotten first.");
}

void describe_limits(ops::OptionTable& options, Limits& limits) {
  options.add("max_waiters", limits.max_waiters, {1},
              "Maximum number of waiters for one name; ERR QueueFull beyond it.");
  options.add("max_waiting", limits.max_waiting, {1},
              "Places for the waits of all names, shared among the clients; ERR Overloaded beyond it.");
  options.add("max_tickets", limits.max_tickets, {1},
              "Places for tickets, shared among the clients; ERR Overloaded beyond it.");
  options.add("max_owner_tickets", limits.max_owner_tickets, {1},
              "Maximum number of tickets of one owner; ERR Overloaded beyond it.");
  options.add(
      "max_locks", limits.max_locks, {1},
      "Names in use, and places for what is held, shared among the clients; ERR TooManyLocks beyond it.");
  options.add("max_listeners", limits.max_listeners, {1},
              "Sessions and watchers, shared among the clients; ERR Overloaded beyond it.");
  options.add("max_names", limits.max_names, {1},
              "Maximum number of names in one set; ERR InvalidArgument beyond it.");
  options.add("max_batch", limits.max_batch, {1},
              "Maximum number of names in one renew() or release_many(); ERR InvalidArgument beyond it.");
  options.add("max_entries", limits.max_entries, {1},
              "How often an owner may enter one lock without leaving it; ERR ReentrancyLimit beyond it.");
}

// The only use of the wall clock: the tokens of a new or damaged folder start above any that an earlier
// folder can have used.
std::int64_t wall_ms() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<milliseconds>(since_1970).count();
}

}  // namespace

void Config::describe(ops::OptionTable& options) {
  using engines::Durability;
  options
      .add_choice<Durability>(
          "durability", durability,
          {{"sync", Durability::kSync}, {"async", Durability::kAsync}, {"none", Durability::kNone}},
          "When a grant is on the disk: before its reply (sync), some milliseconds after it (async), or "
          "never (none); after a "
          "crash the last two wait until the longest lease is over.")
      .argument("MODE");
  options
      .add_choice<std::string>("engine", engine, {{"embedded", "embedded"}},
                               "Where the locks are kept: embedded (in this process and its folder).")
      .argument("ENGINE");
  options.add("max_lease_ms", limits.most_lease, {1000}, "Maximum lease, and maximum wait.");
  options.add("max_held_ms", limits.most_held,
              "How long a lock may be held in all, however often it is extended; 0 = no limit.");
  describe_memory(options, limits);
  describe_limits(options, limits);
}

engines::EmbeddedOptions Config::embedded() const {
  return {.folder = data, .durability = durability, .wall_ms = wall_ms()};
}

}  // namespace zerosuite::lock
