// The life cycle of holds: lease, extension, re-entry, release, expiry.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "lock/broker/counters.hpp"
#include "lock/broker/event_bus.hpp"
#include "lock/broker/expiring_map.hpp"
#include "lock/broker/lock_table.hpp"
#include "net/chores.hpp"

namespace zerosuite::lock {

/// Identifies a hold in its owner's requests.
struct HoldKey {
  std::string name;
  std::string owner;
  Token token = 0;
  /// The expected kind of hold; KindMismatch otherwise.
  enum class Kind : std::uint8_t { kAny, kLock, kSemaphore };
  Kind kind = Kind::kAny;
  std::string request_id = {};  ///< Of a release, so that it can be repeated; empty = none.
};

struct Released {
  std::uint32_t count = 0;  ///< The re-entry count left; zero = others may acquire it.
  milliseconds held{0};
  bool replay = false;  ///< It had already been released.
};

inline std::size_t footprint(const Released&) { return 0; }

struct Extended {
  milliseconds remaining{0};
  std::uint32_t extensions = 0;
};

/// What the parts of a broker share.
struct BrokerContext {
  net::Timers& timers;
  Engine& engine;
  LockTable& table;
  EventBus& events;
  Counters& counters;
  const Limits& limits;
  net::Chores& chores;
  const net::Chores::Watch& watch;
};

/// Loop thread only. A lease ends only when its timer fires: after a pause of the process the reactor first
/// reads the extensions that wait in its sockets, and they must find the hold still there.
class Leases {
 public:
  /// Called when a hold has ended and the engine has released it, or when a name's lock-delay is over.
  using Freed = std::function<void(const std::string& name)>;
  /// Called for every ended hold, after its removal from the table.
  using Gone = std::function<void(const Hold& hold)>;

  Leases(const BrokerContext& context, Gone gone, Freed freed);

  /// Puts a hold that is not granted yet into the table, so that its names are not given to another.
  std::unique_ptr<Hold> reserve(const Request& request, Owner& owner);
  void give_up(std::unique_ptr<Hold> hold);
  /// Begins the lease of a reserved hold.
  Hold& begin(std::unique_ptr<Hold> hold, const Grant& grant);
  /// Restores a hold of an earlier process that the engine still knows.
  Hold& restore(const RecoveredHold& held);

  /// Enters the hold once more. Completes with the same hold; NotReentrant, ReentrancyLimit,
  /// UpgradeNotAllowed, or the engine's error.
  void enter(Hold& hold, const Request& request, core::Done<Hold*> done);
  void release(const HoldKey& key, core::Done<Released> done);
  /// Undoes an entry whose reply was not delivered, as if it had not been requested.
  void undo(Token token, const std::string& request_id);
  /// Makes the lease end `lease` from now, unless it already ends later. Fails as find(), with ExtendLimit
  /// beyond Limits::most_held, or with the engine's error.
  void extend(const HoldKey& key, milliseconds lease, core::Done<Extended> done);
  /// From exclusive to shared; a shared hold stays as it is.
  void downgrade(const HoldKey& key, core::Done<Hold*> done);
  /// Ends the hold unconditionally.
  void end(Hold& hold, Ended::How how, const std::string& reason = {});
  /// Publishes the hold's grant.
  void publish_granted(const Hold& hold) { tell(Event::Kind::kGranted, hold); }
  /// Tells watchers that the session of the hold's owner is gone.
  void publish_suspect(const Hold& hold, const std::string& session) {
    tell(Event::Kind::kSuspect, hold, session);
  }

  /// The hold as the reply to an acquire shows it.
  Granted view(const Hold& hold) const;
  /// The hold that the key identifies; NotHeld, NotOwner, StaleToken, LeaseExpired, SessionLost, KindMismatch
  /// or Recovering if there is none.
  core::Result<Hold*> find(const HoldKey& key);
  Hold* find(Token token);
  /// The hold with that token if the name is one of its names; otherwise null.
  const Hold* find(Token token, const std::string& name) const;
  milliseconds remaining(const Hold& hold) const;
  /// Whether its lease has ended by the clock and no extension is on its way to the disk.
  bool passed(const Hold& hold) const { return hold.amending == 0 && hold.expires <= context_.timers.now(); }
  /// How much longer Limits::most_held allows it to be held.
  milliseconds max_extension(const Hold& hold) const;
  std::size_t size() const { return leases_.size(); }
  /// The places that holds take.
  Seats& seats() { return seats_; }
  /// Forgets some of the remembered ends and releases that are due; false if more are due.
  bool forget() {
    const bool ends = ended_.forget(context_.timers.now());
    return releases_.forget(context_.timers.now()) && ends;
  }

 private:
  void on_timer(Hold& hold);
  void lapse(Token token);
  void arm(Hold& hold);
  core::TimePoint last(const Hold& hold) const;
  core::TimePoint prolonged(const Hold& hold, milliseconds lease) const;
  void leave(Hold& hold, const HoldKey& key, core::Done<Released> done);
  void left(const HoldKey& key, Released released, const core::Result<Hold*>& kept,
            core::Done<Released>& told);
  void repeat(const HoldKey& key, Released before, core::Done<Released> done);
  milliseconds extended_lease(Hold& hold, milliseconds lease);
  core::Error missing(const HoldKey& key);
  void delay(const Hold& hold);
  void tell(Event::Kind kind, const Hold& hold, const std::string& text = {});
  void amended(const HoldKey& key, const core::Result<bool>& kept, core::Done<Hold*>& told);
  void amend(Hold& hold, core::Done<Hold*> done);
  void settle(Hold& hold);

  BrokerContext context_;
  const std::function<void(Hold&)> on_timer_;
  Gone gone_;
  Freed freed_;
  Seats seats_;
  std::unordered_map<Token, std::unique_ptr<Hold>> leases_;
  ExpiringMap<Token, Ended> ended_;
  ExpiringMap<std::string, Released> releases_;  // by owner, token and request_id
};

}  // namespace zerosuite::lock
