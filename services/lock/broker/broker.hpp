// The lock broker: everything between a client's call and the engine.
//
// Its parts are public to each other through BrokerContext and to api.cpp through the accessors; here is what
// concerns several of them at once. Loop thread only.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "lock/broker/acquires.hpp"
#include "lock/broker/sessions.hpp"

namespace zerosuite::lock {

/// One of a list of holds that belong to an owner: a name, and the token it was granted with.
using Ticketed = std::pair<std::string, Token>;

/// What a batch could not do, and why.
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
  std::vector<HolderView> holders;  ///< The first of them; `holder_count` counts all.
  std::size_t holder_count = 0;
  std::vector<WaiterView> waiters;  ///< The first of them; `queue_length` counts all.
  std::size_t queue_length = 0;
};

struct Page {
  std::vector<NameView> names;
  std::string cursor;  ///< Where the next page begins; empty = this was the last.
};

/// What an owner holds, name by name, in order of the tokens.
struct HoldsPage {
  std::vector<std::pair<std::string, HolderView>> holds;
  std::string cursor;  ///< As Page::cursor.
};

/// Whether a token is still good.
struct Check {
  bool valid = false;
  Token current = 0;  ///< The present holder's; zero when nobody holds the name.
  std::string owner;
  milliseconds remaining{0};
};

struct Revoked {
  std::size_t released = 0;
  Token token = 0;  ///< No hold of the name that is granted from now on has a smaller one.
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
  /// Long work that is still to be done, in pieces.
  std::size_t chores() const { return chores_.size() + acquires_.chores(); }
  /// Rises with every start of the broker.
  std::int64_t epoch() const { return epoch_; }

  /// Acquires::acquire() and enqueue(), once the session that the request names is known to be its owner's.
  Acquires::Id acquire(Request request, Acquires::Callback told);
  Acquires::Id enqueue(Request request, Acquires::Callback told);

  /// Gives a lock or permits back. Fails as Leases::find(), and with InvalidArgument for one name of a set.
  void release(const HoldKey& key, core::Done<Released> done);
  /// From exclusive to shared; a shared hold stays as it is. Fails as Leases::find().
  void downgrade(const HoldKey& key, core::Done<Answer> done);
  /// Gives back what it can, all under one request_id if that is not empty. A set is given back whole or not
  /// at all. Throws core::Failure(InvalidArgument) for a part of a set.
  void release_many(const std::string& owner, const std::vector<Ticketed>& held,
                    const std::string& request_id, core::Done<BatchResult> done);
  /// Extends what it can, each by `lease`.
  void renew(const std::string& owner, const std::vector<Ticketed>& held, milliseconds lease,
             core::Done<BatchResult> done);

  Check check(const std::string& name, Token token) const;
  NameView info(const std::string& name) const;
  /// Names in use with that prefix from `cursor` on, in order of their bytes. A page has `limit` of them, or
  /// as many as make a quarter of a mebibyte.
  Page list(const std::string& prefix, std::size_t limit, const std::string& cursor) const;
  /// The same for an owner's holds; a set is not divided. Throws core::Failure(InvalidArgument) for a cursor
  /// that is none.
  HoldsPage holds_of(const std::string& owner, std::size_t limit, const std::string& cursor) const;
  /// The hold of that owner; null when there is none.
  const Hold* held_by(const std::string& name, const std::string& owner) const;
  /// Takes a name from all who hold it now. Throws core::Failure(InvalidArgument).
  void force_release(const std::string& name, const std::string& reason, core::Done<Revoked> done);
  /// Grants nothing any more.
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
