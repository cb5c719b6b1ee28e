// The life of holds: lease, extension, re-entry, release, expiry.
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

/// What a holder shows to speak about its hold.
struct HoldKey {
  std::string name;
  std::string owner;
  Token token = 0;
  /// What the hold must be, or KindMismatch.
  enum class Kind : std::uint8_t { kAny, kLock, kSemaphore };
  Kind kind = Kind::kAny;
  std::string request_id = {};  ///< Of a release, so that it may be sent again; empty = none.
};

struct Released {
  std::uint32_t count = 0;  ///< How often its owner is still in it; zero = others may have it.
  milliseconds held{0};
  bool replay = false;  ///< It had been released before.
};

inline std::size_t footprint(const Released&) { return 0; }

struct Extended {
  milliseconds remaining{0};
  std::uint32_t extensions = 0;
};

/// What the holds of a broker share with the rest of it.
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

/// Loop thread only. A lease ends when its timer fires and at no other moment: after a pause of the process
/// the reactor hears the extensions that wait in its sockets first, and they must find the hold still there.
class Leases {
 public:
  /// `freed` is called when a hold has ended and the engine knows it, or when a name's delay is over.
  using Freed = std::function<void(const std::string& name)>;
  /// Told of every end, while the hold is no longer in the table.
  using Gone = std::function<void(const Hold& hold)>;

  Leases(const BrokerContext& context, Gone gone, Freed freed);

  /// A hold that is not granted yet, in the table already, so that nobody else is given its names.
  std::unique_ptr<Hold> reserve(const Request& request, Owner& owner);
  void give_up(std::unique_ptr<Hold> hold);
  /// Begins the lease of a reserved hold.
  Hold& begin(std::unique_ptr<Hold> hold, const Grant& grant);
  /// Takes in what the engine still knows of an earlier process.
  Hold& restore(const RecoveredHold& held);

  /// Enters it once more. Answers the same hold; NotReentrant, ReentrancyLimit, UpgradeNotAllowed, or what
  /// the engine says.
  void enter(Hold& hold, const Request& request, core::Done<Hold*> done);
  void release(const HoldKey& key, core::Done<Released> done);
  /// Takes an entry back that nobody heard of, as if it had not been asked for.
  void undo(Token token, const std::string& request_id);
  /// The lease is then `lease` from now, or what it was when that is longer.
  void extend(const HoldKey& key, milliseconds lease, core::Done<Extended> done);
  /// From exclusive to shared; a shared one stays as it is.
  void downgrade(const HoldKey& key, core::Done<Hold*> done);
  /// Ends it, no matter who asks.
  void end(Hold& hold, Ended::How how, const std::string& reason = {});
  /// Tells of its grant.
  void publish_granted(const Hold& hold) { tell(Event::Kind::kGranted, hold); }
  /// Tells watchers that the session of its owner is gone.
  void publish_suspect(const Hold& hold, const std::string& session) {
    tell(Event::Kind::kSuspect, hold, session);
  }

  /// The hold as an acquire answers it.
  Granted view(const Hold& hold) const;
  /// The hold that the key opens; NotHeld, NotOwner, StaleToken, LeaseExpired, SessionLost, KindMismatch or
  /// Recovering when there is none.
  core::Result<Hold*> find(const HoldKey& key);
  Hold* find(Token token);
  /// The hold with that token, if the name is one of its names; else null.
  const Hold* find(Token token, const std::string& name) const;
  milliseconds remaining(const Hold& hold) const;
  /// Its lease has ended by the clock, and no extension of it is on its way to the disk.
  bool passed(const Hold& hold) const { return hold.amending == 0 && hold.expires <= context_.timers.now(); }
  /// How long it may still be held by Limits::most_held.
  milliseconds max_extension(const Hold& hold) const;
  std::size_t size() const { return leases_.size(); }
  /// What all that is held takes.
  Seats& seats() { return seats_; }
  /// Forgets some of the ends that are due to be; false when there are more.
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
