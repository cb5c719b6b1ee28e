// What clients ask of the broker, and what it answers.
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

/// Each is a key of the configuration.
struct Limits {
  milliseconds least_lease{10};
  milliseconds most_lease{24 * 3'600'000};  ///< Also of a wait.
  milliseconds most_held{0};                ///< From the grant on, however often extended; zero = no end.
  milliseconds ticket_ttl{60'000};          ///< How long a place in the queue is kept between two waits.
  milliseconds memory{60'000};              ///< How long requests and releases are remembered.
  std::size_t max_memory = 262'144;         ///< And how many of each,
  std::size_t max_memory_bytes = 1 << 27;   ///< and how many bytes of each.
  std::size_t max_waiters = 10'000;         ///< For one name.
  std::size_t max_waiting = 100'000;        ///< Places, for all names; shared among the clients.
  std::size_t max_tickets = 100'000;        ///< Places, in all; shared among the clients.
  std::size_t max_owner_tickets = 10'000;   ///< Of one owner.
  std::size_t max_locks = 1'000'000;        ///< Names in use, and places of holds; shared among the clients.
  std::size_t max_listeners = 10'000;       ///< Sessions and watchers; shared among the clients.
  std::uint32_t max_entries = 255;          ///< Of one hold by its owner.
  std::size_t max_names = 64;               ///< In one set.
  std::size_t max_batch = 1'000;            ///< Names in one renewal or release of several.
};

inline constexpr std::size_t kMaxNameBytes = 255;
inline constexpr std::size_t kMaxOwnerBytes = 128;
inline constexpr std::size_t kMaxDataBytes = 1024;
inline constexpr char kTextMark =
    '"';  ///< Before a request_id that is text but might be taken for an integer.
inline constexpr milliseconds kMostLockDelay{60'000};

/// One acquire. A claim without an owner gets one that nobody else has.
struct Request {
  LockSpec spec;
  milliseconds wait{0};
  std::string session;      ///< Ends the hold with it; empty = only the lease does.
  bool indefinite = false;  ///< Only the session ends it; the lease is for a restart of the broker.
  milliseconds confirm{0};  ///< A grant after a wait lapses after this, unless it is extended; zero = never.
  bool reentrant = true;    ///< Otherwise a second acquire of its holder is refused.
  std::optional<std::int64_t> number;  ///< Its request_id as an integer: an owner's must rise.
  std::string client;                  ///< Who asks: rpc::CallInfo::client().
};

/// How many places it takes while it waits, and while it is held: one for each name, and one more for each
/// KiB of what is kept of it, since memory is what they are for.
std::size_t places_of(const Request& request);

/// Throws core::Failure(InvalidArgument) that says what is wrong with which value.
void check(const Request& request, const Limits& limits);
void check_name(const std::string& name);
void check_owner(const std::string& owner);
void check_request_id(const std::string& id);
/// Of those who watch or list: no longer than a name.
void check_prefix(const std::string& prefix);
/// An operator's words.
void check_reason(const std::string& reason);
void check_lease(milliseconds lease, const Limits& limits);
void check_wait(milliseconds wait, const Limits& limits);

/// The text as errors show it; what is longer than any name is cut off.
std::string quoted(const std::string& text);

/// Tells requests apart: by the owner and its request_id.
inline std::string request_key(const LockSpec& spec) {
  return std::to_string(spec.owner.size()) + ':' + spec.owner + spec.request_id;
}

/// 128 random bits as 32 hexadecimal digits: a name that nobody can guess.
std::string random_name();

/// Of a broker that drains.
core::Error shutting_down();

/// The lock is the caller's.
struct Granted {
  std::vector<std::string> names;
  std::string owner;
  Token token = 0;
  milliseconds lease{0};     ///< What is left of it.
  milliseconds validity{0};  ///< Of the lease, what the holder may use by its own clock.
  std::uint32_t count = 1;
  milliseconds waited{0};
  Mode mode = Mode::kExclusive;
  bool replay = false;          ///< The same request was granted before; nothing has changed by this one.
  std::uint32_t available = 0;  ///< Permits left, of a semaphore.
  std::string ticket;           ///< Where it came from; empty = from an acquire.
};

/// The lock is not to be had, or not yet.
struct Busy {
  enum class Reason : std::uint8_t { kHeld, kTimeout, kQueued };
  Reason reason = Reason::kHeld;
  std::string holder;         ///< The one who holds it longest; empty when nobody does.
  milliseconds remaining{0};  ///< Of that one's lease.
  std::size_t queue_length = 0;
  std::string ticket;        ///< Of kQueued.
  std::size_t position = 0;  ///< Of kQueued; 1 is next.
};

using Answer = std::variant<Granted, Busy>;

/// What a holder may use of a lease by its own clock, counted from before it asked: 1 % for clocks that run
/// at different rates, and 2 ms for their ticks, as Redlock takes off (redis.io/docs, "Distributed locks").
constexpr milliseconds validity_of(milliseconds lease) {
  return std::max(milliseconds(0), lease - lease / 100 - milliseconds(2));
}

}  // namespace zerosuite::lock
