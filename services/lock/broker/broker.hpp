// The lock broker: everything between a client's call and the engine.
//
// Its parts see each other through BrokerContext, and api/ sees them through the accessors; Broker itself
// does what involves several of them. Loop thread only.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "lock/broker/acquires.hpp"
#include "lock/broker/sessions.hpp"

namespace zerosuite::lock {

/// An item of a batch of one owner's holds: a name, and the token it was granted with.
using Ticketed = std::pair<std::string, Token>;

/// An item that a batch failed on, and why.
struct Missed {
  std::string name;
  Token token = 0;
  core::Error error;
};

struct BatchResult {
  std::vector<std::string> done;
  std::vector<Missed> missed;
};

struct HolderView {
  std::string owner;
  Token token = 0;
  Mode mode = Mode::kExclusive;
  std::uint32_t permits = 1;
  std::uint32_t count = 1;
  milliseconds remaining{0};
  milliseconds held{0};
  std::string session;
  std::string data;
};

struct WaiterView {
  std::string owner;
  Mode mode = Mode::kExclusive;
  milliseconds waited{0};
};

struct NameView {
  std::string name;
  bool semaphore = false;
  std::uint32_t limit = 0;
  std::vector<HolderView> holders;  ///< The first of them; `holder_count` counts all of them.
  std::size_t holder_count = 0;
  std::vector<WaiterView> waiters;  ///< The first of them; `queue_length` counts all of them.
  std::size_t queue_length = 0;
};

struct Page {
  std::vector<NameView> names;
  std::string cursor;  ///< Where the next page starts; empty = this is the last page.
};

/// The holds of an owner, name by name, ordered by token.
struct HoldsPage {
  std::vector<std::pair<std::string, HolderView>> holds;
  std::string cursor;  ///< As Page::cursor.
};

/// Whether a token is still valid.
struct Check {
  bool valid = false;
  Token current = 0;  ///< The current holder's; zero if the name is not held.
  std::string owner;
  milliseconds remaining{0};
};

struct Revoked {
  std::size_t released = 0;
  Token token = 0;  ///< Later grants of the name have no smaller token.
};

class Broker {
 public:
  Broker(net::Timers& timers, Engine& engine, const Limits& limits,
         net::Chores::Watch watch = core::Clock::now);

  Leases& leases() { return leases_; }
  const Leases& leases() const { return leases_; }
  Acquires& acquires() { return acquires_; }
  const Acquires& acquires() const { return acquires_; }
  Sessions& sessions() { return sessions_; }
  const Sessions& sessions() const { return sessions_; }
  EventBus& events() { return events_; }
  const EventBus& events() const { return events_; }
  const Engine& engine() const { return engine_; }
  const Limits& limits() const { return limits_; }
  const Counters& counters() const { return counters_; }
  const LockTable& table() const { return table_; }
  /// Number of long tasks, done in pieces, that are not finished.
  std::size_t chores() const { return chores_.size() + acquires_.chores(); }
  /// Increases with every start of the broker.
  std::int64_t epoch() const { return epoch_; }

  /// As Acquires::acquire() and enqueue(), after checking that the request's session belongs to its owner.
  Acquires::Id acquire(Request request, Acquires::Callback told);
  Acquires::Id enqueue(Request request, Acquires::Callback told);

  /// Releases a lock or permits. Fails as Leases::find(), and with InvalidArgument for one name of a set.
  void release(const HoldKey& key, core::Done<Released> done);
  /// From exclusive to shared; a shared hold stays as it is. Fails as Leases::find().
  void downgrade(const HoldKey& key, core::Done<Answer> done);
  /// Releases as many as possible, all under one request_id if that is not empty. A set is released as a
  /// whole or not at all. Throws core::Failure(InvalidArgument) for part of a set.
  void release_many(const std::string& owner, const std::vector<Ticketed>& held,
                    const std::string& request_id, core::Done<BatchResult> done);
  /// Extends as many as possible, each as Leases::extend().
  void renew(const std::string& owner, const std::vector<Ticketed>& held, milliseconds lease,
             core::Done<BatchResult> done);

  Check check(const std::string& name, Token token) const;
  NameView info(const std::string& name) const;
  /// The names in use that start with `prefix`, from `cursor` on, in byte order. A page has at most `limit`
  /// of them, and ends once they make a quarter of a mebibyte.
  Page list(const std::string& prefix, std::size_t limit, const std::string& cursor) const;
  /// The same for an owner's holds; sets are not split. A malformed cursor throws
  /// core::Failure(InvalidArgument).
  HoldsPage holds_of(const std::string& owner, std::size_t limit, const std::string& cursor) const;
  /// The hold of that owner; null if there is none.
  const Hold* held_by(const std::string& name, const std::string& owner) const;
  /// Revokes all current holds of a name. Throws core::Failure(InvalidArgument).
  void force_release(const std::string& name, const std::string& reason, core::Done<Revoked> done);
  /// Stops granting.
  void drain(EventBus::Stay stay);

 private:
  using Sets = std::map<Token, std::vector<std::string>>;

  HolderView view(const Hold& hold) const;
  NameView view(const Name& name) const;
  void refuse_parts(const std::string& owner, const Sets& sets);
  void sweep();

  net::Timers& timers_;
  Engine& engine_;
  const Limits limits_;
  const std::int64_t epoch_;
  LockTable table_;
  EventBus events_{limits_.max_listeners};
  Counters counters_;
  const net::Chores::Watch watch_;
  net::Chores chores_{timers_, watch_};
  BrokerContext context_{timers_, engine_, table_, events_, counters_, limits_, chores_, watch_};
  Leases leases_;
  Acquires acquires_;
  Sessions sessions_;
  net::Timer sweep_;
};

}  // namespace zerosuite::lock
