// The interface between the issuer and the store that records which values were given out.
//
// Every kind of id that needs memory is built on one primitive: reserve(key) → [lo, hi), committed before any
// value in it is used, and never granted again. Each range is granted to exactly one process, so no id
// repeats, regardless of clocks, leases and crashes. (The same idea: Meituan's Leaf, "segments"; Peng and
// Dabek, "Large-scale Incremental Processing Using Distributed Transactions and Notifications", OSDI 2010,
// the timestamp oracle.)
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"

namespace zerosuite::id {

/// Values lo … hi−1.
struct Range {
  std::int64_t lo = 0;
  std::int64_t hi = 0;

  std::int64_t size() const { return hi - lo; }
  friend bool operator==(const Range&, const Range&) = default;
};

/// What values are counted for. Keys of different kinds differ even if their names are equal.
struct Key {
  enum class Kind : std::uint8_t {
    kTicks,    ///< Times at which one worker may issue: `<layout>/<worker>`.
    kTag,      ///< A tag of create_tag(); reserve() of one that does not exist fails with NoSuchTag.
    kCounter,  ///< Starts at 1 (or at ReserveRequest::floor) on first use.
  };
  Kind kind = Kind::kCounter;
  std::string name = {};

  /// "ticks:…", "tag:…" or "counter:…".
  std::string text() const;
  friend bool operator==(const Key&, const Key&) = default;
};

/// A named sequence as configured by its users (Leaf's `leaf_alloc`, TinyID's `tiny_id_info`).
struct Tag {
  std::string name = {};
  std::int64_t next = 1;       ///< No value ≥ this was given out (Leaf's max_id).
  std::int64_t step = 1000;    ///< The minimum number of values to reserve at once.
  std::int64_t delta = 1;      ///< Only values v with v mod delta = remainder are issued.
  std::int64_t remainder = 0;  ///< 0 … delta−1
  std::int64_t max = std::numeric_limits<std::int64_t>::max() - 1;  ///< The last value.
  std::string description = {};
  std::int64_t lowered = 0;  ///< How many times `next` was lowered; see TagChange::lower.

  friend bool operator==(const Tag&, const Tag&) = default;
};

/// The fields to change; the others stay as they are.
struct TagChange {
  std::optional<std::int64_t> floor = {};  ///< `next` becomes at least this; it only falls with `lower`.
  /// Corrects an earlier floor that was too high: `next` falls to `floor`, but not below what was given out
  /// before that floor was set. If values were given out above that floor, the tag ends before them (`max`
  /// falls below them).
  bool lower = false;
  std::optional<std::int64_t> step = {};
  std::optional<std::int64_t> delta = {};
  std::optional<std::int64_t> remainder = {};
  std::optional<std::int64_t> max = {};
  std::optional<std::string> description = {};
};

struct ReserveRequest {
  Key key;
  std::int64_t count = 1;                                       ///< ≥ 1
  std::int64_t floor = 1;                                       ///< The range begins here or above.
  std::int64_t end = std::numeric_limits<std::int64_t>::max();  ///< The range ends here or below.
  /// No other process can have received values of the key since this process' last range: it may continue
  /// above that range, even if the store has lost all its data.
  bool continued = false;
};

/// A page of the tags, in order of their names.
struct TagPage {
  std::string prefix = {};                                        ///< Only names with this prefix,
  std::string after = {};                                         ///< that sort after this one;
  std::int64_t limit = std::numeric_limits<std::int64_t>::max();  ///< the maximum number of tags.

  /// The lowest byte string above all names with the prefix; nullopt if there is none.
  std::optional<std::string> end() const;
};

/// What an issuer on a shared store asks periodically.
struct ChangesQuery {
  std::int64_t followed = 0;  ///< The issuer has applied all changes of tags up to this revision.
  std::optional<std::int64_t> worker = {};  ///< The issuer's worker id; nullopt while it has none.
};
struct Changes {
  std::int64_t revision = 0;           ///< The latest change.
  std::vector<std::string> tags = {};  ///< The tags changed since ChangesQuery::followed.
  std::int64_t followed = 0;  ///< All issuers with a worker id have applied the changes up to this one.
};

/// How an issuer opens a shared store.
struct OpenRequest {
  std::string known = {};           ///< The id of the store that this issuer used before; empty = none.
  std::string fresh = {};           ///< The id to give to a store that has none.
  core::milliseconds wait{15'000};  ///< How long a new store, which others may know, stays unused.
  bool accept = false;              ///< The operator accepts the store, whatever data it has lost.
};

struct Reserved {
  Range range;
  std::int64_t stored = 0;      ///< The key's next value before the call; 0 if the key was unknown.
  std::optional<Tag> tag = {};  ///< For kTag: its present state, to apply changes of step and max.
};

/// A request for a worker id.
struct Claim {
  std::optional<std::int64_t> worker = {};  ///< This id; nullopt = the lowest free one.
  std::int64_t workers = 1024;              ///< The ids are 0 … workers−1.
  std::string owner = {};                   ///< The owner's name, different at each start of a process.
  core::milliseconds ttl{15'000};
};

/// The owner holds the worker id until ttl after it sent its last successful claim or renewal.
struct Lease {
  std::int64_t worker = 0;
  std::int64_t epoch = 0;   ///< Rises each time the worker id gets a new owner.
  bool taken_over = false;  ///< The previous owner did not release it, and may still be issuing.
  /// The time by the store's own clock, in ms since 1970; nullopt if it has none.
  std::optional<std::int64_t> store_ms = {};
};

/// The properties of a store.
struct StoreTraits {
  std::string_view name;  ///< "sqlite", "redis"
  bool shared = false;    ///< Other processes may reserve values of the same keys, and worker ids are leased.
};

/// All calls and callbacks are on the loop's thread. Each `done` runs once, and never inside the call. Errors
/// in addition to those named: Unavailable (nothing was done), StorageError (nothing was done), Indeterminate
/// (the operation may have been done; a range is then lost, never given out twice), StoreRegressed (nothing
/// was done: the store is no longer the one that open() found, and an operator must decide how to continue).
class Store {
 public:
  virtual ~Store() = default;

  /// Grants a range that was never granted before, of `count` values or, near the end of the key, of fewer,
  /// but at least one. It begins at the greater of the floor and the key's next value. RangeExhausted if that
  /// is the end or above; NoSuchTag.
  virtual void reserve(const ReserveRequest& ask, core::Done<Reserved> done) = 0;
  /// Returns the unused rest of a range: if it was the last one reserved, the key's next value becomes
  /// `unused.lo` again. `done` gets whether it did.
  virtual void give_back(const Key& key, const Range& unused, core::Done<bool> done) = 0;

  /// TagExists. A tag that was deleted before continues above the values it had given out.
  virtual void create_tag(const Tag& tag, core::Done<Tag> done) = 0;
  /// NoSuchTag; InvalidArgument if `next` cannot be lowered that far.
  virtual void update_tag(const std::string& name, const TagChange& change, core::Done<Tag> done) = 0;
  /// NoSuchTag. `done` gets the tag as it was before.
  virtual void delete_tag(const std::string& name, core::Done<Tag> done) = 0;
  /// NoSuchTag.
  virtual void tag(const std::string& name, core::Done<Tag> done) = 0;
  virtual void tags(const TagPage& page, core::Done<std::vector<Tag>> done) = 0;

  /// WorkerIdInUse (another owner's lease has not expired; with {"owner", "retry_after_ms"}),
  /// WorkerIdExhausted. The same owner may claim again.
  virtual void claim(const Claim& claim, core::Done<Lease> done) = 0;
  /// Extends the lease to ttl from now. LeaseLost if it has expired or another owner has it.
  virtual void renew(const Claim& claim, const Lease& lease, core::Done<Lease> done) = 0;
  /// Ends the lease, so that the next owner need not wait. Does nothing if another owner has it.
  virtual void release(const Claim& claim, const Lease& lease, core::Done<bool> done) = 0;

  /// Stores `value` under `name` unless a value is there already and `how` is kKeep. `done` gets the value
  /// that is stored now.
  enum class Pin : std::uint8_t { kKeep, kReplace };
  virtual void pin(const std::string& name, const std::string& value, Pin how,
                   core::Done<std::string> done) = 0;

  /// To be called before anything else: checks by the store's id that it is the known one. `done` gets the
  /// id; later calls fail with StoreRegressed if the store then has another id, or none. StoreRegressed if it
  /// is not the known store and `accept` is not set; Unavailable with {"retry_after_ms"} while it is new. If
  /// the store moved to a server without its data, the only issuer that ever opened it may continue. A store
  /// of one process has no id: "".
  virtual void open(const OpenRequest& bond, core::Done<std::string> done) = 0;
  /// Marks the store as having lost data: from now on it refuses all issuers, until an operator accepts it.
  /// Shared stores only.
  virtual void distrust(core::Done<bool> done) = 0;
  /// Raises each key, by Key::text(), to at least this next value. Shared stores only.
  virtual void remember(const std::vector<std::pair<std::string, std::int64_t>>& floors,
                        core::Done<bool> done) = 0;
  /// What other issuers have changed, and what they have applied. Shared stores only. StoreRegressed also if
  /// the store's revision is below `followed`: it then distrusts itself.
  virtual void look(const ChangesQuery& look, core::Done<Changes> done) = 0;

  virtual StoreTraits traits() const = 0;
  /// Why the store cannot write at present; nullopt if no problem is known.
  virtual std::optional<core::Error> trouble() const = 0;
};

inline std::string Key::text() const {
  switch (kind) {
    case Kind::kTicks:
      return "ticks:" + name;
    case Kind::kTag:
      return "tag:" + name;
    case Kind::kCounter:
      break;
  }
  return "counter:" + name;
}

inline std::optional<std::string> TagPage::end() const {
  std::string end = prefix;
  while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xff) end.pop_back();
  if (end.empty()) return std::nullopt;
  ++end.back();
  return end;
}

}  // namespace zerosuite::id
