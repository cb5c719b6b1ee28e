// Events about locks for subscribers: a session gets those of its owner, a watcher those of a name prefix.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "lock/broker/seats.hpp"
#include "lock/engine.hpp"

namespace zerosuite::lock {

struct Event {
  enum class Kind : std::uint8_t {
    kOpen,      ///< The session or watch is open.
    kGranted,   ///< A lock was granted.
    kReleased,  ///< It was released. Watchers only.
    kExpiring,  ///< A third of its lease is left. Sessions only.
    kLost,      ///< Its lease or session expired.
    kRevoked,   ///< An operator revoked it.
    kSuspect,   ///< Its owner's session is gone, but the lock is bound to its lease. Watchers only.
    kDrain,     ///< The broker has stopped granting.
    kOverflow,  ///< Events were dropped here because the client did not read.
  };
  Kind kind = Kind::kOpen;
  std::string name = {};
  std::string owner = {};
  Token token = 0;
  core::milliseconds remaining{0};
  std::string text = {};   ///< The session's id, or the operator's reason.
  std::size_t missed = 0;  ///< Of kOverflow.
};

/// The kind as clients see it: "granted".
std::string_view word(Event::Kind kind);

/// Shared by all subscribers that get the event: they may be many, and slow.
using SharedEvent = std::shared_ptr<const Event>;

/// Where one subscriber's events go. The functions must not call back into the broker.
struct Subscriber {
  std::function<bool(const SharedEvent&)> tell;  ///< Returns false if there is no room.
  std::function<void()> end;
  std::string client = {};  ///< rpc::CallInfo::client() of the subscriber.
};

/// Loop thread only.
class EventBus {
 public:
  using Id = std::uint64_t;

  /// Allows `most` subscribers at a time, shared among the clients; beyond that, join_owner() and
  /// join_prefix() throw core::Failure(Overloaded).
  explicit EventBus(std::size_t most) : seats_("sessions and watchers", most) {}

  Id join_owner(const std::string& owner, Subscriber subscriber);
  Id join_prefix(const std::string& prefix, Subscriber subscriber);
  void leave(Id id);

  bool watched() const { return !watchers_.empty(); }
  void tell(const Event& event);
  /// Sends the event to one subscriber only.
  void tell(Id id, const Event& event);
  /// Sends kDrain to all subscribers, and ends their streams if kLeaves.
  enum class Stay : std::uint8_t { kStays, kLeaves };
  void drain(Stay stay);
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Subscriber subscriber;
    std::string key;  // the owner or the prefix
    std::size_t missed = 0;
    Seats::Seat seat = {};
    bool watches = false;
    std::multimap<std::string, Id, std::less<>>::iterator of_owner = {};  // unless `watches`
  };

  Id join(Entry entry);
  static void tell(Entry& entry, const SharedEvent& event);

  Seats seats_;
  std::map<Id, Entry> entries_;
  std::multimap<std::string, Id, std::less<>> owners_;
  std::map<std::string, std::set<Id>, std::less<>> watchers_;  // by prefix
  std::map<std::size_t, std::size_t> lengths_;                 // number of prefixes, by their length
  Id last_ = 0;
};

}  // namespace zerosuite::lock
