// The seam between the broker and whatever keeps the locks.
//
// The broker above it does the rest once for all engines: waiting and fairness, counting of re-entries,
// sessions, request memory, deadlock detection. An engine only has to say, for one moment, who holds what.
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

/// A fencing token, 1 … 2^53−1: every grant's is greater than that of any earlier grant of the same engine
/// (Burrows, "The Chubby lock service", OSDI 2006, 2.4: sequencers).
using Token = std::int64_t;

enum class Mode : std::uint8_t {
  kExclusive,
  kShared,
  kPermits,  ///< A semaphore's: `permits` of `limit`.
};

/// What was done to a hold under a request_id: asked for again, it is answered again and not done again.
struct Record {
  enum class Kind : std::uint8_t { kAcquire, kRelease };
  Kind kind = Kind::kAcquire;
  std::string request_id;
  std::uint32_t count = 1;  ///< How often its owner was in it then.

  bool is(Kind its_kind, const std::string& id) const { return kind == its_kind && request_id == id; }
  friend bool operator==(const Record&, const Record&) = default;
};

/// What is asked for, and then held.
struct LockSpec {
  std::vector<std::string> names = {};  ///< Not empty, none twice; several are taken and given back together.
  std::string owner = {};
  Mode mode = Mode::kExclusive;
  std::uint32_t permits = 1;  ///< Of kPermits; at most `limit`.
  std::uint32_t limit = 1;    ///< The same for all who hold the name.
  core::milliseconds lease{30'000};
  core::milliseconds lock_delay{0};  ///< The broker's; kept with the hold.
  std::uint32_t count = 1;           ///< How often its owner has entered it.
  std::string request_id = {};       ///< Of who asks; empty when there is none. Of a hold they are `records`.
  std::string data = {};             ///< The owner's; empty when there is none.
  std::vector<Record> records = {};  ///< The broker's; the latest last.
  core::milliseconds confirm{
      0};                      ///< The broker's: it lapses so soon until it is extended; zero = it does not.
  core::milliseconds held{0};  ///< The broker's: how long it was held when this was said.

  /// What was done under that id; null when nothing was.
  const Record* record(Record::Kind kind, const std::string& id) const {
    const auto found =
        std::find_if(records.begin(), records.end(), [&](const Record& made) { return made.is(kind, id); });
    return found == records.end() ? nullptr : &*found;
  }
  friend bool operator==(const LockSpec&, const LockSpec&) = default;
};

struct Grant {
  Token token = 0;
  core::milliseconds lease{0};  ///< From the answer on, the engine's clock drift taken off.
};

struct RecoveredHold {
  LockSpec spec;
  Token token = 0;
  core::milliseconds remaining{0};
};

/// How a hold came to its end.
enum class Ending : std::uint8_t {
  kReleased,  ///< Its owner gave it back, and knows.
  kTaken,     ///< Its lease or its session passed, or an operator took it: its owner may not know.
};

/// What an engine promises; `engine_info()` shows it to clients.
struct Capabilities {
  std::int64_t epoch = 0;  ///< Rises with every start.
  std::string engine;      ///< "embedded"
  std::string durability;  ///< "sync", "async" or "none"
  std::string fair;        ///< "strict": FIFO over all clients
  std::string exclusion;   ///< What mutual exclusion rests on, in a few words.
  std::string clock;       ///< Whose clock ends a lease.
  bool fencing = false;
  bool context = false;
  bool semaphores = false;
  bool atomic_sets = false;
  bool indefinite = false;  ///< Holds that end with their session only.
  bool survives_restart = false;
};

/// The error of a claim that must wait until nobody can hold what an unclean stop forgot.
inline core::Error recovering(core::milliseconds remaining) {
  return {core::kRecovering, "locks granted before an unclean stop may still be held",
          core::Json().add("retry_after_ms", remaining.count())};
}

/// All calls and completions are on the loop's thread; a completion may run before the call returns, and each
/// runs exactly once. Completions of one name come in the order of the calls.
class Engine {
 public:
  virtual ~Engine() = default;

  /// Tries once to take all names; never waits for another holder (the broker does that). A hold whose lease
  /// has passed does not count as one. Answers the grant; nullopt when somebody else holds a name in a
  /// conflicting mode; Error Recovering while earlier holders may not be known; StorageError when nothing
  /// was taken because it could not be kept; Indeterminate when it may have been.
  virtual void acquire(const LockSpec& spec, core::Done<std::optional<Grant>> done) = 0;
  /// Replaces what is kept of a hold: its lease, which begins anew, its count, its mode (only from kExclusive
  /// to kShared), its records and what else is the broker's. A hold of count zero is one that was given back:
  /// its names are taken until release(), but a restart does not bring it back. Answers false when the token
  /// holds nothing any more. It may have passed its lease, as long as nobody took its names: whether that is
  /// too late is the broker's decision.
  virtual void amend(Token token, const LockSpec& spec, core::Done<bool> done) = 0;
  /// Gives all names of the hold back. Answers false when the token holds nothing any more. Does not wait for
  /// the disk: a release that is lost only delays the next holder. Where more hangs on it, amend() to a count
  /// of zero comes first.
  virtual void release(Token token, Ending ending, core::Done<bool> done) = 0;
  /// Calls `freed` once, when an acquire that was answered nullopt may be worth another try.
  virtual void watch_free(const std::string& name, std::function<void()> freed) = 0;

  /// Who holds what, in order of tokens; right after the start what an earlier process left, each with its
  /// lease in full.
  virtual std::vector<RecoveredHold> holds() const = 0;
  /// How long acquire() will go on to answer Recovering; zero when it does not.
  virtual core::milliseconds recovering() const = 0;
  virtual Capabilities capabilities() const = 0;
};

}  // namespace zerosuite::lock
