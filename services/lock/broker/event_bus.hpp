// What happens to locks, told to those who asked: sessions hear of their owner's, watchers of all with a
// prefix.
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
    kOpen,      ///< The session is there.
    kGranted,   ///< A lock went to its owner.
    kReleased,  ///< It was given back. Watchers only.
    kExpiring,  ///< A third of its lease is left. Sessions only.
    kLost,      ///< Its lease or session passed.
    kRevoked,   ///< An operator took it.
    kSuspect,   ///< Its owner's session is gone, but the lock is bound to its lease. Watchers only.
    kDrain,     ///< The broker grants nothing any more.
    kOverflow,  ///< Events were left out here, because the client did not read.
  };
  Kind kind = Kind::kOpen;
  std::string name = {};
  std::string owner = {};
  Token token = 0;
  core::milliseconds remaining{0};
  std::string text = {};   ///< The session's id, or the operator's reason.
  std::size_t missed = 0;  ///< Of kOverflow.
};

/// The word for it in answers: "granted".
std::string_view word(Event::Kind kind);

/// All who hear of an event share it: they may be many, and slow.
using SharedEvent = std::shared_ptr<const Event>;

/// Where one listener's events go. Neither may call back into the broker.
struct Subscriber {
  std::function<bool(const SharedEvent&)> tell;  ///< False when there is no room.
  std::function<void()> end;
  std::string client = {};  ///< Who listens: rpc::CallInfo::client().
};

/// Loop thread only.
class EventBus {
 public:
  using Id = std::uint64_t;

  /// For `most` listeners at a time, shared among the clients; join_… throws core::Failure(Overloaded) beyond
  /// them.
  explicit EventBus(std::size_t most) : seats_("sessions and watchers", most) {}

  Id join_owner(const std::string& owner, Subscriber subscriber);
  Id join_prefix(const std::string& prefix, Subscriber subscriber);
  void leave(Id id);

  bool watched() const { return !watchers_.empty(); }
  void tell(const Event& event);
  /// Tells one listener alone.
  void tell(Id id, const Event& event);
  /// Tells all that the broker drains, and ends them if it is leaving.
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
    std::multimap<std::string, Id, std::less<>>::iterator of_owner = {};  // unless it watches
  };

  Id join(Entry entry);
  static void tell(Entry& entry, const SharedEvent& event);

  Seats seats_;
  std::map<Id, Entry> entries_;
  std::multimap<std::string, Id, std::less<>> owners_;
  std::map<std::string, std::set<Id>, std::less<>> watchers_;  // by prefix
  std::map<std::size_t, std::size_t> lengths_;                 // the number of prefixes by their length
  Id last_ = 0;
};

}  // namespace zerosuite::lock
