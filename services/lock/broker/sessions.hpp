// Sessions: an owner that is listening. Its stream brings events, and locks bound to the session end with it.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "core/keyed_hash.hpp"
#include "lock/broker/acquires.hpp"

namespace zerosuite::lock {

/// A session lives while its stream is open or its last renewal has not lapsed. Loop thread only.
class Sessions {
 public:
  Sessions(const BrokerContext& context, Leases& holds, Acquires& acquires)
      : context_(context), leases_(holds), acquires_(acquires) {}

  /// Answers its id. The listener hears kOpen first.
  std::string open(const std::string& owner, milliseconds ttl, Subscriber subscriber);
  /// The client of its stream has vanished.
  void lost(const std::string& id);
  /// Lives for its ttl from now on even without a stream. Throws core::Failure(SessionLost).
  milliseconds renew(const std::string& id);
  /// Ends it, and gives back what was bound to it. `done` is told how many holds that were, at the end of
  /// this turn or of a later one. Throws core::Failure(SessionLost).
  void close(const std::string& id, core::MoveFunction<void(std::size_t)> done);
  /// Throws core::Failure: SessionLost when there is no such session, InvalidArgument when it is another's.
  void check(const std::string& id, const std::string& owner) const;
  std::size_t size() const { return sessions_.size(); }

 private:
  struct Session {
    Session(net::Timers& timers, std::function<void()> lapse) : renewal(timers, std::move(lapse)) {}

    std::string owner;
    milliseconds ttl{0};
    EventBus::Id subscriber = 0;
    std::function<void()> end;
    bool streaming = true;
    net::Timer renewal;  // armed by renew() only
  };

  /// What is left to do for a session that has ended.
  struct Ending {
    std::string id;
    std::string owner;
    Ended::How how = Ended::How::kReleased;
    core::MoveFunction<void(std::size_t)> done;
    std::size_t ended = 0;
    Token seen = 0;  // of the owner's other holds
    Token last = 0;
  };

  Session& find(const std::string& id) const;
  void lapse(const std::string& id);
  void end(const std::string& id, Ended::How how, core::MoveFunction<void(std::size_t)> done);
  bool step(Ending& ending);
  bool suspect_next(Ending& ending);

  BrokerContext context_;
  Leases& leases_;
  Acquires& acquires_;
  std::unordered_map<std::string, std::unique_ptr<Session>, core::KeyedHash> sessions_;
};

}  // namespace zerosuite::lock
