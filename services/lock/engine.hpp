// The interface between the broker and the engine that keeps the locks.
//
// The broker implements the rest once for all engines: waiting and fairness, re-entry counts, sessions,
// request deduplication, deadlock detection. An engine only decides which owner holds what at the moment.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "core/result.hpp"

namespace zerosuite::lock {

/// A fencing token, 1 … 2^53−1: each grant's token is greater than that of any earlier grant of the same
/// engine (Burrows, "The Chubby lock service", OSDI 2006, 2.4: sequencers).
using Token = std::int64_t;

enum class Mode : std::uint8_t {
  kExclusive,
  kShared,
  kPermits,  ///< A semaphore: `permits` of `limit`.
};

/// An operation done to a hold under a request_id: a repeated request gets the same reply, and the operation
/// is not done again.
struct Record {
  enum class Kind : std::uint8_t { kAcquire, kRelease };
  Kind kind = Kind::kAcquire;
  std::string request_id;
  std::uint32_t count = 1;  ///< The hold's re-entry count after the operation.

  bool is(Kind its_kind, const std::string& id) const { return kind == its_kind && request_id == id; }
  friend bool operator==(const Record&, const Record&) = default;
};

/// What is requested, and once granted, held.
struct LockSpec {
  std::vector<std::string> names = {};  ///< Not empty, no duplicates; acquired and released together.
  std::string owner = {};
  Mode mode = Mode::kExclusive;
  std::uint32_t permits = 1;  ///< Of kPermits; at most `limit`.
  std::uint32_t limit = 1;    ///< The same for all holders of the name.
  core::milliseconds lease{30'000};
  core::milliseconds lock_delay{0};  ///< For the broker; stored with the hold.
  std::uint32_t count = 1;           ///< The re-entry count.
  std::string request_id = {};       ///< Of a request; empty = none. A hold has `records` instead.
  std::string data = {};             ///< The owner's; empty = none.
  std::vector<Record> records = {};  ///< For the broker; the latest last.
  core::milliseconds confirm{0};     ///< For the broker: lapses after this unless extended; zero = never.
  core::milliseconds held{0};        ///< For the broker: how long the hold had been held at this update.

  /// The operation done under that id; null if there was none.
  const Record* record(Record::Kind kind, const std::string& id) const {
    const auto found =
        std::find_if(records.begin(), records.end(), [&](const Record& made) { return made.is(kind, id); });
    return found == records.end() ? nullptr : &*found;
  }
  friend bool operator==(const LockSpec&, const LockSpec&) = default;
};

struct Grant {
  Token token = 0;
  core::milliseconds lease{0};  ///< From the completion on, less the engine's clock drift.
};

struct RecoveredHold {
  LockSpec spec;
  Token token = 0;
  core::milliseconds remaining{0};
};

/// Why a hold ended.
enum class Ending : std::uint8_t {
  kReleased,  ///< Its owner released it.
  kTaken,     ///< Its lease or session expired, or an operator revoked it: its owner may not know.
};

/// What an engine guarantees; `engine_info()` shows it to clients.
struct Capabilities {
  std::int64_t epoch = 0;  ///< Increases with every start.
  std::string engine;      ///< "embedded"
  std::string durability;  ///< "sync", "async" or "none"
  std::string fair;        ///< "strict": FIFO over all clients
  std::string exclusion;   ///< What mutual exclusion depends on, in a few words.
  std::string clock;       ///< The clock that ends a lease.
  bool fencing = false;
  bool context = false;
  bool semaphores = false;
  bool atomic_sets = false;
  bool indefinite = false;  ///< Supports holds that end only with their session.
  bool survives_restart = false;
};

/// The error for requests made while a lock forgotten in an unclean stop may still be held.
inline core::Error recovering(core::milliseconds remaining) {
  return {core::kRecovering, "locks granted before an unclean stop may still be held",
          core::Json().add("retry_after_ms", remaining.count())};
}

/// The outcome of a call if it is known at once. Otherwise nullopt, and `done` is called with it once, later:
/// never inside the call. `done` is moved from only then.
template <class T>
using Outcome = std::optional<core::Result<T>>;

/// All calls and completions run on the loop thread. The outcomes for one name become known in the order of
/// the calls.
class Engine {
 public:
  virtual ~Engine() = default;

  /// Tries once to take all names; never waits for another holder (the broker does that). Expired holds are
  /// ignored. The outcome is the grant; nullopt if another hold on a name conflicts; or an error: Recovering
  /// while earlier holders may be unknown, StorageError if nothing was taken because it could not be stored,
  /// Indeterminate if it may have been.
  virtual Outcome<std::optional<Grant>> acquire(const LockSpec& spec,
                                                core::Done<std::optional<Grant>>& done) = 0;
  /// Replaces the stored state of a hold: its lease, which starts again, its count, its mode (only from
  /// kExclusive to kShared), its records and the broker's other fields. A hold with count zero has been
  /// released: its names stay taken until release(), but a restart does not restore it. The outcome is false
  /// if the token no longer holds anything. An expired hold may be amended until its names are taken: whether
  /// that is too late is the broker's decision.
  virtual Outcome<bool> amend(Token token, const LockSpec& spec, core::Done<bool>& done) = 0;
  /// Releases all names of the hold. The outcome is false if the token no longer holds anything. Does not
  /// wait for the disk: a lost release only delays the next holder. If it must not be lost, amend() to a
  /// count of zero first.
  virtual Outcome<bool> release(Token token, Ending ending, core::Done<bool>& done) = 0;
  /// Calls `freed` once, never inside a call of the engine, when an acquire() that was refused because of
  /// another hold may be worth retrying.
  virtual void watch_free(const std::string& name, std::function<void()> freed) = 0;

  /// All holds, by token; right after the start those that an earlier process left, with their full leases.
  virtual std::vector<RecoveredHold> holds() const = 0;
  /// How much longer acquire() fails with Recovering; zero if it does not.
  virtual core::milliseconds recovering() const = 0;
  virtual Capabilities capabilities() const = 0;
};

}  // namespace zerosuite::lock
