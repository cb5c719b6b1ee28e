// The seam between the issuer and whatever keeps what was given out.
//
// One primitive is under every kind of id that needs memory: reserve(key) → [lo, hi), committed before any
// value in it is used, and never given to anybody else again. The process that holds a range is the only one
// that ever got it, so no id repeats whatever clocks, leases and crashes do. (The same idea: Meituan's Leaf,
// "segments"; Peng and Dabek, "Large-scale Incremental Processing Using Distributed Transactions and
// Notifications", OSDI 2010, the timestamp oracle.)
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

/// What values are counted for. Keys of different kinds are different, whatever their names.
struct Key {
  enum class Kind : std::uint8_t {
    kTicks,    ///< Times at which one worker may issue: `<layout>/<worker>`.
    kTag,      ///< A tag of create_tag(); reserve() of one that does not exist fails with NoSuchTag.
    kCounter,  ///< Begins at 1 (or at ReserveRequest::floor) with its first use.
  };
  Kind kind = Kind::kCounter;
  std::string name = {};

  /// "ticks:…", "tag:…" or "counter:…".
  std::string text() const;
  friend bool operator==(const Key&, const Key&) = default;
};

/// A named sequence as its users set it up (Leaf's `leaf_alloc`, TinyID's `tiny_id_info`).
struct Tag {
  std::string name = {};
  std::int64_t next = 1;       ///< No value from here on was given out (Leaf's max_id).
  std::int64_t step = 1000;    ///< The least that is reserved at a time.
  std::int64_t delta = 1;      ///< Only values v with v mod delta = remainder are issued.
  std::int64_t remainder = 0;  ///< 0 … delta−1
  std::int64_t max = std::numeric_limits<std::int64_t>::max() - 1;  ///< The last value.
  std::string description = {};
  std::int64_t lowered = 0;  ///< How often `next` was made to fall; see TagChange::lower.

  friend bool operator==(const Tag&, const Tag&) = default;
};

/// What is to be different; the rest stays.
struct TagChange {
  std::optional<std::int64_t> floor = {};  ///< `next` becomes at least this; it does not fall, unless:
  /// An earlier floor was a mistake. `next` falls to `floor`, but not below what was given out before that
  /// mistake; what was given out above it ends the tag (`max` falls below it).
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
  std::int64_t floor = 1;                                       ///< The range begins here or later.
  std::int64_t end = std::numeric_limits<std::int64_t>::max();  ///< It ends here at the latest.
  /// Nobody but this process can have had values of the key since its last range: it may go on above that
  /// one, even where the store has forgotten all.
  bool continued = false;
};

/// A part of the tags, by name.
struct TagPage {
  std::string prefix = {};                                        ///< Names that begin so,
  std::string after = {};                                         ///< and come after this one;
  std::int64_t limit = std::numeric_limits<std::int64_t>::max();  ///< at most this many.

  /// The first name, as bytes, behind all that begin so; nullopt when there is none.
  std::optional<std::string> end() const;
};

/// What an issuer on a shared store asks now and then.
struct ChangesQuery {
  std::int64_t followed = 0;                ///< It goes by all changes of tags up to this one.
  std::optional<std::int64_t> worker = {};  ///< Who it is; nullopt while it has no worker id.
};
struct Changes {
  std::int64_t revision = 0;           ///< The latest change that is known now.
  std::vector<std::string> tags = {};  ///< Those that were changed since ChangesQuery::followed.
  std::int64_t followed = 0;           ///< All issuers with a worker id go by the changes up to this one.
};

/// How an issuer comes to a shared store.
struct OpenRequest {
  std::string known = {};           ///< The id of the store as this issuer knows it; empty = it knows none.
  std::string fresh = {};           ///< The id of a store that nobody knows yet.
  core::milliseconds wait{15'000};  ///< For those who may know it, of a store that is new.
  bool accept = false;              ///< An operator says that it goes on, whatever it has forgotten.
};

struct Reserved {
  Range range;
  std::int64_t stored = 0;      ///< What the key's next value was before; 0 when nothing was known of it.
  std::optional<Tag> tag = {};  ///< Of kTag: as it is now, so that a change of step or max is followed.
};

/// Asks for a worker id.
struct Claim {
  std::optional<std::int64_t> worker = {};  ///< This one; nullopt = the lowest that is free.
  std::int64_t workers = 1024;              ///< There are the ids 0 … workers−1.
  std::string owner = {};                   ///< Who asks: another at every start of a process.
  core::milliseconds ttl{15'000};
};

/// A worker id is its owner's until ttl after the last claim or renewal was sent.
struct Lease {
  std::int64_t worker = 0;
  std::int64_t epoch = 0;   ///< Rises each time the worker id changes hands.
  bool taken_over = false;  ///< The owner before did not give it back, and may still be issuing.
  /// The store's own idea of the time, in ms since 1970; nullopt when it has none of its own.
  std::optional<std::int64_t> store_ms = {};
};

/// What a store promises.
struct StoreTraits {
  std::string_view name;  ///< "sqlite", "redis"
  bool shared = false;    ///< Other processes may reserve of the same keys, and worker ids are leased.
};

/// All calls and answers are on the loop's thread. Each call is answered once, and never before it returns.
/// Errors beside those named: Unavailable (nothing was done), StorageError (nothing was done),
/// Indeterminate (it may have been; a range is then lost, never given out twice), StoreRegressed (nothing was
/// done: the store is not what open() found any more, and an operator must say how it goes on).
class Store {
 public:
  virtual ~Store() = default;

  /// Gives a range that nobody ever had, of `count` values or, where the key comes to its end, of fewer, at
  /// least one. It begins at the greatest of the floor and the key's next value. RangeExhausted when that is
  /// at the end; NoSuchTag.
  virtual void reserve(const ReserveRequest& ask, core::Done<Reserved> done) = 0;
  /// What is left of the range that was reserved last: if nobody reserved after it, the key's next value
  /// becomes `unused.lo` again. `done` gets whether it did.
  virtual void give_back(const Key& key, const Range& unused, core::Done<bool> done) = 0;

  /// TagExists. A tag that was deleted goes on above what it had given out.
  virtual void create_tag(const Tag& tag, core::Done<Tag> done) = 0;
  /// NoSuchTag; InvalidArgument when `next` cannot be lowered so far.
  virtual void update_tag(const std::string& name, const TagChange& change, core::Done<Tag> done) = 0;
  /// NoSuchTag. `done` gets the tag as it was.
  virtual void delete_tag(const std::string& name, core::Done<Tag> done) = 0;
  /// NoSuchTag.
  virtual void tag(const std::string& name, core::Done<Tag> done) = 0;
  virtual void tags(const TagPage& page, core::Done<std::vector<Tag>> done) = 0;

  /// WorkerIdInUse (of another owner, whose lease runs; with {"owner", "retry_after_ms"}), WorkerIdExhausted.
  /// The same owner may claim again.
  virtual void claim(const Claim& claim, core::Done<Lease> done) = 0;
  /// Makes it last ttl from now. LeaseLost when it is another's, or has passed.
  virtual void renew(const Claim& claim, const Lease& lease, core::Done<Lease> done) = 0;
  /// Gives it back, so that the next owner need not wait. Nothing when it is another's.
  virtual void release(const Claim& claim, const Lease& lease, core::Done<bool> done) = 0;

  /// Keeps `value` under `name` if nothing is kept there yet, or if it is to replace that. Answers what is
  /// kept now.
  enum class Pin : std::uint8_t { kKeep, kReplace };
  virtual void pin(const std::string& name, const std::string& value, Pin how,
                   core::Done<std::string> done) = 0;

  /// Before all else: whether this store is the one that is known, by an id that it keeps. Answers the id;
  /// what is asked later is refused with StoreRegressed when the store has another one, or none. The same at
  /// once when it is not the one that is known and nobody accepts that; Unavailable with {"retry_after_ms"}
  /// while it is new. One that moved to a server without its data is taken as it is from the only one who
  /// ever opened it. A store of one process has no id: "".
  virtual void open(const OpenRequest& bond, core::Done<std::string> done) = 0;
  /// The store has been found to be older than it was: from now on it refuses everybody, until somebody
  /// accepts it. Of a shared one.
  virtual void distrust(core::Done<bool> done) = 0;
  /// No key gives values below these any more, whatever the store has forgotten. By Key::text(). Of a shared
  /// one.
  virtual void remember(const std::vector<std::pair<std::string, std::int64_t>>& floors,
                        core::Done<bool> done) = 0;
  /// What other issuers have changed, and what they follow. Of a shared one; StoreRegressed also when the
  /// store has gone back behind `followed`: it then distrusts itself.
  virtual void look(const ChangesQuery& look, core::Done<Changes> done) = 0;

  virtual StoreTraits traits() const = 0;
  /// Why nothing can be kept now; nullopt when it can, as far as is known.
  virtual std::optional<core::Error> trouble() const = 0;
};

}  // namespace zerosuite::id
