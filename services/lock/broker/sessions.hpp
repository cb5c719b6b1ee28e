// Sessions: a session streams events to its owner, and locks bound to the session end with it.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "core/keyed_hash.hpp"
#include "lock/broker/acquires.hpp"

namespace zerosuite::lock {

/// A session lives while its stream is open or its last renewal has not expired. Loop thread only.
class Sessions {
 public:
  Sessions(const BrokerContext& context, Leases& holds, Acquires& acquires)
      : context_(context), leases_(holds), acquires_(acquires) {}

  /// Returns the session's id. The subscriber gets kOpen first.
  std::string open(const std::string& owner, milliseconds ttl, Subscriber subscriber);
  /// The client of the session's stream has vanished.
  void lost(const std::string& id);
  /// Keeps the session for its ttl from now on, even without a stream. Throws core::Failure(SessionLost).
  milliseconds renew(const std::string& id);
  /// Ends the session, and releases what is bound to it. `done` gets the number of released holds, at the end
  /// of this turn or a later one. Throws core::Failure(SessionLost).
  void close(const std::string& id, core::MoveFunction<void(std::size_t)> done);
  /// Throws core::Failure: SessionLost if there is no such session, InvalidArgument if it is another owner's.
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

  /// The state of the work left for a session that has ended.
  struct Ending {
    std::string id;
    std::string owner;
    Ended::How how = Ended::How::kReleased;
    core::MoveFunction<void(std::size_t)> done;
    std::size_t ended = 0;
    Token seen = 0;  // the latest of the owner's other holds reported as suspect
    Token last = 0;  // the last one to report
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
