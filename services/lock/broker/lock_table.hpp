// The table of names, holds, waiters and owners, linked to one another.
//
// Bookkeeping only: nothing here calls the engine, replies to a client or reads the clock. Loop thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/keyed_hash.hpp"
#include "core/result.hpp"
#include "lock/broker/request.hpp"
#include "lock/broker/seats.hpp"
#include "net/timers.hpp"

namespace zerosuite::lock {

struct Waiter;
struct Hold;
struct Name;
struct Owner;
struct Ranks;

/// Positions in the lists of names. Linked lists, because a name may have ten thousand waiters, and any of
/// them may leave at any time.
template <class T>
using Places = std::vector<std::pair<Name*, typename std::list<T*>::iterator>>;

/// A lock or semaphore that is held, waited for or delayed; other names have no entry.
struct Name {
  using ByOwner = std::set<std::pair<const Owner*, Hold*>>;

  std::string_view text;
  std::list<Hold*> holds;             // in order of their grants
  std::unique_ptr<ByOwner> by_owner;  // index of `holds`; null unless there were many
  std::list<Waiter*> queue;           // in order of arrival
  std::uint32_t permits = 0;          // in use
  std::string delayed_for;            // during a lock-delay, the owner exempt from it
  std::unique_ptr<net::Timer> delay;  // armed during a lock-delay; null until the first one
  std::shared_ptr<Ranks> ranks;       // of `queue`; null until a position in a long queue was requested
  bool elsewhere = false;             // the engine reported a holder unknown to the broker
  bool touched = false;               // it is on WaitQueues' list of names to serve

  /// Marks left by the last deadlock search; deadlock.cpp only.
  struct Visit {
    std::uint64_t search = 0;
    const Owner* by = nullptr;
    std::uint8_t times = 0;
  };
  Visit visit;

  bool delayed() const { return delay && delay->armed(); }
  /// The spec of a holder or waiter, all of which agree on the kind and the limit. Null if there is none.
  const LockSpec* kind() const;
};

struct Owner {
  std::string_view text;
  std::map<Token, Hold*> holds;  // by token; those without a token yet come last
  std::list<Waiter*> acquires;
  std::size_t sessions = 0;
  std::size_t tickets = 0;
  std::uint64_t searched = 0;  // number of the last deadlock search that visited it
};

/// The holds and waiters that end with a session.
struct Bound {
  std::list<Hold*> holds;
  std::list<Waiter*> acquires;
};

/// A hold of an owner. Until the engine has granted it, its Waiter owns it and it has no token.
struct Hold {
  /// `on_timer` must outlive it.
  Hold(net::Timers& timers, const std::function<void(Hold&)>& on_timer)
      : timer(timers, [this, &on_timer] { on_timer(*this); }) {}

  LockSpec spec;
  Token token = 0;
  Owner* owner = nullptr;
  Places<Hold> places;
  std::map<Token, Hold*>::iterator of_owner;
  Bound* bound = nullptr;
  std::list<Hold*>::iterator of_session;  // unless `bound` is null
  core::TimePoint since;
  core::TimePoint expires;
  core::TimePoint wanted;  // when it expires once the engine has stored all requested extensions
  std::uint32_t extensions = 0;
  std::uint32_t amending = 0;  // amend() calls in flight: until they complete, it does not lapse
  bool entered_again = false;  // it was entered more than once
  std::string session;         // the session that ends it; may be empty
  bool indefinite = false;     // only its session ends it
  std::uint64_t ticket = 0;    // id of the waiter whose grant is not delivered yet
  Seats::Seat seat;
  net::Timer timer;
};

/// An acquire that is not finished.
struct Waiter {
  /// `on_timer` must outlive it.
  Waiter(net::Timers& timers, const std::function<void(Waiter&)>& on_timer)
      : timer(timers, [this, &on_timer] { on_timer(*this); }) {}

  enum class State : std::uint8_t {
    kQueued,
    kAsking,   // the engine is being called
    kGranted,  // to a ticket; the grant is not delivered yet
  };

  std::uint64_t id = 0;
  Request request;
  Owner* owner = nullptr;
  Places<Waiter> places;  // empty once it has left the queues
  std::list<Waiter*>::iterator of_owner;
  Bound* bound = nullptr;
  std::list<Waiter*>::iterator of_session;  // unless `bound` is null
  core::TimePoint since;
  State state = State::kQueued;
  bool unwanted = false;     // no caller is left: a grant of the engine is given back
  bool sessionless = false;  // its session has ended: the request cannot be resumed
  std::size_t askers = 1;    // callers that wait: more than one if the request was repeated
  std::shared_ptr<std::vector<core::Done<Answer>>>
      others;  // callbacks of all callers but the first, also of withdrawn ones; called by `done`
  std::unique_ptr<Hold> asking;
  Hold* hold = nullptr;        // of kGranted
  std::uint64_t searched = 0;  // number of the last deadlock search that visited it
  core::Done<Answer> done;
  std::string ticket;  // a ticket outlives the calls that wait for it; empty = a plain call
  Seats::Seat line_seat;
  Seats::Seat ticket_seat;
  Seats::Seat lock_seat;  // of kAsking; then moved to the hold
  net::Timer timer;

  bool is_ticket() const { return !ticket.empty(); }
  /// Adds a caller; it takes the place of the previous one if that has gone.
  void join(core::Done<Answer> told);
};

/// Keys from here on, in Owner::holds, are those of holds without a token yet.
inline constexpr Token kUnnamed = Token{1} << 53;

class LockTable {
 public:
  /// Null if there is none.
  Name* find_name(std::string_view text);
  const Name* find_name(std::string_view text) const;
  Owner* find_owner(std::string_view text);
  const Owner* find_owner(std::string_view text) const;
  /// Created if there is none.
  Name& name(const std::string& text);
  Owner& owner(const std::string& text);

  void add(Hold& hold);
  /// To be called when the hold has got its token.
  void named(Hold& hold);
  void remove(Hold& hold);
  void add(Waiter& waiter);
  void remove(Waiter& waiter);
  /// Puts the waiter at the end of its names' queues, or back near their heads, by age.
  enum class End : std::uint8_t { kBack, kFront };
  void enqueue(Waiter& waiter, End end);
  void dequeue(Waiter& waiter);
  /// What is bound to that session; null if nothing is.
  const Bound* bound(const std::string& session) const;
  void unbind(Hold& hold);
  void unbind(Waiter& waiter);
  /// The position of a queued waiter in the queue of its first name; 1 is next.
  std::size_t position(const Waiter& waiter);
  /// Removes the entry if it is no longer used.
  void tidy(Name& name);
  void tidy(Owner& owner);

  /// Throws core::Failure if the names are in use in a different way: KindMismatch, LimitMismatch, or
  /// NotReentrant for a name that the owner holds in another set. `owner` may be null.
  void check_kind(const LockSpec& spec, const Owner* owner) const;
  /// How many of the names are not in use.
  std::size_t unknown(const std::vector<std::string>& names) const;
  /// Whether the names can be granted now, disregarding the queues.
  bool admits(const LockSpec& spec) const;
  /// Whether all queues are empty, or have `queued` at their head. `queued` is null for a new request.
  bool first_in_line(const LockSpec& spec, const Waiter* queued) const;
  /// The owner's lock of that name, alone or in a set; null if there is none. Permits of a semaphore and
  /// holds that are being released do not count.
  const Hold* lock(const Owner& owner, const Name& name) const;
  /// The same, including permits and holds that are being released.
  const Hold* held(const Owner& owner, const Name& name) const;
  /// The hold that was granted to the same request, and its waiter; null if there is none.
  Hold* granted(const Owner& owner, const LockSpec& spec) const;
  Waiter* begun(const Owner& owner, const LockSpec& spec) const;
  /// The lock with the same names that another acquire of its owner re-enters; null if there is none.
  Hold* entered(const Owner& owner, const LockSpec& spec) const;

  const std::map<std::string, Name, std::less<>>& names() const { return names_; }

 private:
  std::map<std::string, Name, std::less<>> names_;
  std::map<std::string, Owner, std::less<>> owners_;
  std::unordered_map<std::string, Bound, core::KeyedHash> bound_;         // by session
  std::unordered_multimap<std::string, Waiter*, core::KeyedHash> begun_;  // by owner and request_id
  Token unnamed_ = kUnnamed;
};

}  // namespace zerosuite::lock
