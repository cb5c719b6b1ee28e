// Who holds what and who waits for what: names, holds, waiters and owners, linked to one another.
//
// Bookkeeping only: nothing here asks the engine, answers a client or looks at the clock. Loop thread only.
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

/// Where something stands in a name's list. Lists, because a name may have ten thousand waiters, of whom any
/// may leave at any time.
template <class T>
using Places = std::vector<std::pair<Name*, typename std::list<T*>::iterator>>;

/// A lock or semaphore that is held, waited for or delayed; there are no others.
struct Name {
  using ByOwner = std::set<std::pair<const Owner*, Hold*>>;

  std::string_view text;
  std::list<Hold*> holds;             // in order of their grants
  std::unique_ptr<ByOwner> by_owner;  // the same; only where there are many
  std::list<Waiter*> queue;           // in order of arrival
  std::uint32_t permits = 0;          // in use
  std::string delayed_for;            // while it is delayed: the owner who may have it all the same
  std::unique_ptr<net::Timer> delay;  // armed until everybody may have it; only where there ever was one
  std::shared_ptr<Ranks> ranks;       // of its queue; only where one was asked for in a long one
  bool elsewhere = false;             // the engine said that somebody else has it
  bool touched = false;               // it is on the list of names to look at

  /// Where the last search for a deadlock has been; deadlock.cpp only.
  struct Visit {
    std::uint64_t search = 0;
    const Owner* by = nullptr;
    std::uint8_t times = 0;
  };
  Visit visit;

  bool delayed() const { return delay && delay->armed(); }
  /// What all that hold it or wait for it agree on: its kind and its limit. Null when nobody does.
  const LockSpec* kind() const;
};

struct Owner {
  std::string_view text;
  std::map<Token, Hold*> holds;  // by token; those that have none yet come last
  std::list<Waiter*> acquires;
  std::size_t sessions = 0;
  std::size_t tickets = 0;
  std::uint64_t searched = 0;  // by the last search for a deadlock that came here
};

/// What ends with a session.
struct Bound {
  std::list<Hold*> holds;
  std::list<Waiter*> acquires;
};

/// What an owner has. Until the engine has granted it, it belongs to its Waiter and has no token.
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
  core::TimePoint wanted;  // when it will expire once the engine has kept all that was asked for
  std::uint32_t extensions = 0;
  std::uint32_t amending = 0;  // changes that the engine has not answered: until then it does not lapse
  bool entered_again = false;  // more than once in all
  std::string session;         // that ends it
  bool indefinite = false;     // only its session ends it
  std::uint64_t ticket = 0;    // of the waiter that has not heard of it yet
  Seats::Seat seat;
  net::Timer timer;
};

/// One acquire on its way to an answer.
struct Waiter {
  /// `on_timer` must outlive it.
  Waiter(net::Timers& timers, const std::function<void(Waiter&)>& on_timer)
      : timer(timers, [this, &on_timer] { on_timer(*this); }) {}

  enum class State : std::uint8_t {
    kQueued,
    kAsking,   // the engine was asked
    kGranted,  // to a ticket that nobody has asked for since
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
  bool unwanted = false;     // nobody waits for it any more: what the engine grants is given back
  bool sessionless = false;  // the session it was bound to has ended: nobody may ask for it again
  std::size_t askers = 1;    // who wait for the answer: more when the request was sent again
  std::shared_ptr<std::vector<core::Done<Answer>>>
      others;  // all but the first of them, also those who wait no longer; `done` tells these too
  std::unique_ptr<Hold> asking;
  Hold* hold = nullptr;        // of kGranted
  std::uint64_t searched = 0;  // by the last search for a deadlock that came here
  core::Done<Answer> done;
  std::string ticket;  // outlives those who wait for it; empty = a call, which does not
  Seats::Seat line_seat;
  Seats::Seat ticket_seat;
  Seats::Seat lock_seat;  // of kAsking; then it is the hold's
  net::Timer timer;

  bool is_ticket() const { return !ticket.empty(); }
  /// One more waits for the answer, in the place of the one who asked before if that one is gone.
  void join(core::Done<Answer> told);
};

/// Where an owner's holds begin that have no token yet.
inline constexpr Token kUnnamed = Token{1} << 53;

class LockTable {
 public:
  /// Null when there is none.
  Name* find_name(std::string_view text);
  const Name* find_name(std::string_view text) const;
  Owner* find_owner(std::string_view text);
  const Owner* find_owner(std::string_view text) const;
  /// Made when there is none.
  Name& name(const std::string& text);
  Owner& owner(const std::string& text);

  void add(Hold& hold);
  /// It has got its token.
  void named(Hold& hold);
  void remove(Hold& hold);
  void add(Waiter& waiter);
  void remove(Waiter& waiter);
  /// Puts the waiter at the end of its names' queues, or back at their heads, by age.
  enum class End : std::uint8_t { kBack, kFront };
  void enqueue(Waiter& waiter, End end);
  void dequeue(Waiter& waiter);
  /// What is bound to that session; null when nothing is.
  const Bound* bound(const std::string& session) const;
  void unbind(Hold& hold);
  void unbind(Waiter& waiter);
  /// Of a queued waiter in the queue of its first name; 1 is next.
  std::size_t position(const Waiter& waiter);
  /// Forgets it once nothing is left to know about it.
  void tidy(Name& name);
  void tidy(Owner& owner);

  /// Throws core::Failure when the names are used in another way: KindMismatch, LimitMismatch, or
  /// NotReentrant for one that the owner holds in another set. `owner` may be null.
  void check_kind(const LockSpec& spec, const Owner* owner) const;
  /// How many of the names are not in use.
  std::size_t unknown(const std::vector<std::string>& names) const;
  /// Whether its names can be had now, the queues aside.
  bool admits(const LockSpec& spec) const;
  /// Whether nobody came before it: for a new request nobody at all, for a queued waiter it is the first.
  bool first_in_line(const LockSpec& spec, const Waiter* queued) const;
  /// The owner's lock of that name, however many others with it; null when there is none. Permits of a
  /// semaphore do not count.
  const Hold* lock(const Owner& owner, const Name& name) const;
  /// The same, permits too.
  const Hold* held(const Owner& owner, const Name& name) const;
  /// What the same request was granted before, and what has become of it; null when there is none.
  Hold* granted(const Owner& owner, const LockSpec& spec) const;
  Waiter* begun(const Owner& owner, const LockSpec& spec) const;
  /// The hold that a second acquire of its owner enters again: of the same names, and not a semaphore's.
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
