// Sessions: an owner that is listening. Its stream brings events, and locks bound to the session end with it.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "core/keyed_hash.hpp"
#include "lock/attempts.hpp"

namespace zerosuite::lock {

/// A session lives while its stream is open or its last renewal has not lapsed. Loop thread only.
class Sessions {
 public:
  Sessions(const Shared& shared, Holds& holds, Attempts& attempts)
      : shared_(shared), holds_(holds), attempts_(attempts) {}

  /// Answers its id. The listener hears kOpen first.
  std::string open(const std::string& owner, milliseconds ttl, Listener listener);
  /// The client of its stream has vanished.
  void lost(const std::string& id);
  /// Lives for its ttl from now on even without a stream. Throws core::Failure(SessionLost).
  milliseconds renew(const std::string& id);
  /// Ends it, and gives back what was bound to it. Answers how many holds; throws core::Failure(SessionLost).
  std::size_t close(const std::string& id);
  /// Throws core::Failure: SessionLost when there is no such session, InvalidArgument when it is another's.
  void check(const std::string& id, const std::string& owner) const;
  std::size_t size() const { return sessions_.size(); }

 private:
  struct Session {
    Session(net::Timers& timers, std::function<void()> lapse) : renewal(timers, std::move(lapse)) {}

    std::string owner;
    milliseconds ttl{0};
    Audience::Id listener = 0;
    std::function<void()> end;
    bool streaming = true;
    net::Timer renewal;  // armed by renew() only
  };

  Session& find(const std::string& id) const;
  void lapse(const std::string& id);
  std::size_t end(const std::string& id, Ended::How how);

  Shared shared_;
  Holds& holds_;
  Attempts& attempts_;
  std::unordered_map<std::string, std::unique_ptr<Session>, core::KeyedHash> sessions_;
};

}  // namespace zerosuite::lock
