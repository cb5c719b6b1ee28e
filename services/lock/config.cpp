#include "lock/config.hpp"

#include <array>
#include <chrono>

#include "ops/config/program.hpp"

namespace zerosuite::lock {
namespace {

using ops::Option;
using ops::Scope;
using ops::Type;

constexpr std::array<std::string_view, 3> kDurabilities = {"sync", "async", "none"};
constexpr std::array<std::string_view, 1> kEngines = {"embedded"};

std::vector<Option> own_options() {
  const Limits usual;
  return {
      {.name = "durability",
       .type = Type::kChoice,
       .scope = Scope::kOwn,
       .initial = std::string("sync"),
       .argument = "MODE",
       .choices = kDurabilities,
       .help = "Answers a grant when it is on the disk (sync), milliseconds before (async), or never "
               "writes it (none); after a crash the last two wait out the longest lease."},
      {.name = "engine",
       .type = Type::kChoice,
       .scope = Scope::kOwn,
       .initial = std::string("embedded"),
       .argument = "ENGINE",
       .choices = kEngines,
       .help = "Keeps the locks in: embedded."},
      ops::own_time("max_lease_ms", usual.most_lease, 1000, "The longest lease and the longest wait."),
      ops::own_time("max_held_ms", usual.most_held, 0,
                    "The longest a lock may be extended to; 0 = for ever."),
      ops::own_time("ticket_ttl_ms", usual.ticket_ttl, 1000,
                    "Keeps a place in line so long between two waits."),
      ops::own_time("memory_ms", usual.memory, 1000,
                    "Remembers requests and releases so long, so that they may be sent again."),
      ops::own_count("max_memory", usual.max_memory, 1,
                     "Remembers so many of each; the oldest are forgotten first."),
      ops::own_count("max_memory_bytes", usual.max_memory_bytes, 65'536,
                     "Remembers so many bytes of each; the oldest are forgotten first."),
      ops::own_count("max_waiters", usual.max_waiters, 1, "Waits for one name; ERR QueueFull beyond it."),
      ops::own_count(
          "max_waiting", usual.max_waiting, 1,
          "Places for the waits of all names, shared among the clients; ERR Overloaded beyond it."),
      ops::own_count("max_tickets", usual.max_tickets, 1,
                     "Places for tickets, shared among the clients; ERR Overloaded beyond it."),
      ops::own_count("max_owner_tickets", usual.max_owner_tickets, 1,
                     "Tickets of one owner; ERR Overloaded beyond it."),
      ops::own_count("max_locks", usual.max_locks, 1,
                     "Names in use, and places for what is held, shared among the clients; ERR TooManyLocks "
                     "beyond it."),
      ops::own_count("max_listeners", usual.max_listeners, 1,
                     "Sessions and watchers, shared among the clients; ERR Overloaded beyond it."),
      ops::own_count("max_names", usual.max_names, 1, "Names in one set; ERR InvalidArgument beyond it."),
      ops::own_count("max_batch", usual.max_batch, 1,
                     "Names in one renew() or release_many(); ERR InvalidArgument beyond it."),
      ops::own_count("max_entries", usual.max_entries, 1,
                     "Times an owner may enter one lock without leaving it; ERR ReentrancyLimit beyond it.")};
}

const std::vector<Option> kOptions = own_options();
const ops::Program kProgram{.name = "lock",
                            .summary = "Distributed locks and semaphores over zerorpc.",
                            .bind = "tcp://127.0.0.1:4302",
                            .data = "data/lock",
                            .sticky = true,
                            .options = kOptions};

// The only look at the wall clock: tokens of a new or damaged folder begin where an earlier one cannot have
// been.
std::int64_t wall_ms() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<milliseconds>(since_1970).count();
}

engines::Durability durability_of(const std::string& word) {
  if (word == "none") return engines::Durability::kNone;
  return word == "async" ? engines::Durability::kAsync : engines::Durability::kSync;
}

}  // namespace

const ops::Program& program() { return kProgram; }

Limits limits(const ops::Config& config) {
  Limits limits;
  limits.most_lease = config.duration("max_lease_ms");
  limits.most_held = config.duration("max_held_ms");
  limits.ticket_ttl = config.duration("ticket_ttl_ms");
  limits.memory = config.duration("memory_ms");
  limits.max_memory = config.size("max_memory");
  limits.max_memory_bytes = config.size("max_memory_bytes");
  limits.max_waiters = config.size("max_waiters");
  limits.max_waiting = config.size("max_waiting");
  limits.max_tickets = config.size("max_tickets");
  limits.max_owner_tickets = config.size("max_owner_tickets");
  limits.max_locks = config.size("max_locks");
  limits.max_listeners = config.size("max_listeners");
  limits.max_names = config.size("max_names");
  limits.max_batch = config.size("max_batch");
  limits.max_entries = static_cast<std::uint32_t>(config.integer("max_entries"));
  return limits;
}

engines::EmbeddedOptions engine_options(const ops::Config& config) {
  return {.folder = config.text("data"),
          .durability = durability_of(config.text("durability")),
          .wall_ms = wall_ms()};
}

}  // namespace zerosuite::lock
