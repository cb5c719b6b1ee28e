// Requests of clients to the broker, and the outcomes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "lock/engine.hpp"

namespace zerosuite::lock {

using core::milliseconds;

/// The limits of the broker; most are configuration keys.
struct Limits {
  milliseconds least_lease{10};
  milliseconds most_lease{24 * 3'600'000};  ///< Also the longest wait.
  milliseconds most_held{0};                ///< From the grant on, with all extensions; zero = unlimited.
  milliseconds ticket_ttl{60'000};          ///< How long a place in the queue is kept between two waits.
  milliseconds memory{60'000};              ///< How long requests and releases are remembered.
  std::size_t max_memory = 262'144;         ///< Maximum number remembered of each,
  std::size_t max_memory_bytes = 1 << 27;   ///< and maximum bytes of each.
  std::size_t max_waiters = 10'000;         ///< For one name.
  std::size_t max_waiting = 100'000;        ///< Places, for all names; shared among the clients.
  std::size_t max_tickets = 100'000;        ///< Places, in total; shared among the clients.
  std::size_t max_owner_tickets = 10'000;   ///< Of one owner.
  std::size_t max_locks = 1'000'000;        ///< Names in use, and places of holds; shared among the clients.
  std::size_t max_listeners = 10'000;       ///< Sessions and watchers; shared among the clients.
  std::uint32_t max_entries = 255;          ///< Re-entry count of one hold.
  std::size_t max_names = 64;               ///< In one set.
  std::size_t max_batch = 1'000;            ///< Names in one renew() or release_many().
};

inline constexpr std::size_t kMaxNameBytes = 255;
inline constexpr std::size_t kMaxOwnerBytes = 128;
inline constexpr std::size_t kMaxDataBytes = 1024;
inline constexpr char kTextMark = '"';  ///< Precedes a text request_id that looks like an integer.
inline constexpr milliseconds kMostLockDelay{60'000};

/// An acquire. A request without an owner gets a unique one.
struct Request {
  LockSpec spec;
  milliseconds wait{0};
  std::string session;      ///< The hold ends with this session; empty = only with its lease.
  bool indefinite = false;  ///< Only the session ends the hold; the lease is for a restart of the broker.
  milliseconds confirm{0};  ///< A grant after a wait lapses after this, unless it is extended; zero = never.
  bool reentrant = true;    ///< Otherwise another acquire by its holder is refused.
  std::optional<std::int64_t> number;  ///< The request_id as an integer; an owner's must increase.
  std::string client;                  ///< rpc::CallInfo::client() of the caller.
};

/// How many places the request takes while it waits and while it is held: one for each name, and one more for
/// each KiB stored for it, since places limit memory.
std::size_t places_of(const Request& request);

/// Throws core::Failure(InvalidArgument) that names the value and what is wrong with it.
void check(const Request& request, const Limits& limits);
void check_name(const std::string& name);
void check_owner(const std::string& owner);
void check_request_id(const std::string& id);
/// The prefix of a watch or list; no longer than a name.
void check_prefix(const std::string& prefix);
/// The reason that an operator gives.
void check_reason(const std::string& reason);
void check_lease(milliseconds lease, const Limits& limits);
void check_wait(milliseconds wait, const Limits& limits);

/// The text as errors show it, truncated to the length of the longest name.
std::string quoted(const std::string& text);

/// Identifies a request by its owner and request_id.
inline std::string request_key(const LockSpec& spec) {
  return std::to_string(spec.owner.size()) + ':' + spec.owner + spec.request_id;
}

/// 128 random bits as 32 hexadecimal digits: an unguessable name.
std::string random_name();

/// The error of a draining broker.
core::Error shutting_down();

/// The outcome of an acquire that got its lock.
struct Granted {
  std::vector<std::string> names;
  std::string owner;
  Token token = 0;
  milliseconds lease{0};     ///< The time left of it.
  milliseconds validity{0};  ///< How much of it the holder may use by its own clock: validity_of().
  std::uint32_t count = 1;
  milliseconds waited{0};
  Mode mode = Mode::kExclusive;
  bool replay = false;          ///< The same request was granted before; this one has changed nothing.
  std::uint32_t available = 0;  ///< Permits left, of a semaphore.
  std::string ticket;           ///< The ticket that was granted; empty = a plain acquire.
};

/// The outcome of an acquire that did not get its lock, or not yet.
struct Busy {
  enum class Reason : std::uint8_t { kHeld, kTimeout, kQueued };
  Reason reason = Reason::kHeld;
  std::string holder;         ///< The owner of the oldest hold; empty if there is none.
  milliseconds remaining{0};  ///< Of that hold's lease.
  std::size_t queue_length = 0;
  std::string ticket;        ///< Of kQueued.
  std::size_t position = 0;  ///< Of kQueued; 1 is next.
};

using Answer = std::variant<Granted, Busy>;

/// How much of a lease a holder may use by its own clock, counted from before it sent the request: as Redlock
/// does (redis.io/docs, "Distributed locks"), this deducts 1 % for clock drift and 2 ms for clock ticks.
constexpr milliseconds validity_of(milliseconds lease) {
  return std::max(milliseconds(0), lease - lease / 100 - milliseconds(2));
}

}  // namespace zerosuite::lock
