// Limits how much a stock server may send over one connection before it is read, and shares that among calls.
//
// A stock server silently drops what does not fit its socket: a thousand messages per connection, of which
// libzmq may count up to half as unread although they are not. Clients that dial it directly have a
// connection each; clients behind the proxy share one, so their credit is passed on only while there is room.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "core/clock.hpp"
#include "core/keyed_hash.hpp"
#include "proxy/intrusive_list.hpp"
#include "wire/envelope.hpp"
#include "wire/event.hpp"

namespace zerosuite::proxy {

/// Loop thread only; does not use a socket.
class Meter {
 public:
  /// Maximum number of events in flight to the proxy: half of what a stock socket holds, less what its thread
  /// may send before it learns how much was read.
  static constexpr std::size_t kRoom = 400;
  /// A call takes room for its reply and one heartbeat.
  static constexpr std::size_t kForCall = 2;
  /// The maximum for all calls, and for all stream items: neither can starve the other.
  static constexpr std::size_t kForEither = 300;

  struct Call {
    wire::Envelope client;
    std::string id;  ///< As the client encoded it.
    std::uint64_t version = 3;
    core::TimePoint sent{};
    core::TimePoint abandoned = core::TimePoint::max();
    bool heard = false;  ///< An event of it has arrived.

   private:
    friend class Meter;
    std::uint32_t out_ = 1;   // events the server may still send
    std::uint64_t owed_ = 0;  // credit of the client that is not passed on yet
    bool streams_ = false;
    std::optional<std::uint64_t> beat_after_;  // heard_ when its last heartbeat was passed on
    ListHook<Call> of_waiting_;
    bool waiting_ = false;
  };
  /// Credit to be passed on now.
  struct Grant {
    Call* call;
    std::uint32_t events;
  };

  bool has_room() const { return used_ + kForCall <= kRoom && calls_.size() * kForCall < kForEither; }
  /// How much of kRoom is used.
  std::size_t used() const { return used_; }
  bool empty() const { return calls_.empty(); }

  /// Adds a call that is about to be sent. Null if the client has an open call of that id.
  Call* open(const wire::Envelope& client, const wire::Event& event, core::TimePoint now);
  /// The call with that id, echoed as text or as bytes; null if there is none.
  Call* find(const wire::Envelope& client, std::string_view id);
  void close(Call& call);

  /// The client has granted that many events.
  void grant(Call& call, std::uint64_t events);
  /// Whether to pass on the client's heartbeat: not if no message of the server has arrived since the call's
  /// last one, since it may not be reading, and heartbeats would fill its socket.
  bool may_beat(Call& call);
  /// The call's client has gone; its reply may still come, and takes room until then.
  void abandon(Call& call, core::TimePoint now);
  /// An event of the call has arrived; closes the call if it is the last one.
  void heard(Call& call, const wire::Event& event);
  /// Another message has arrived.
  void heard() { ++heard_; }

  /// The next grant to pass on; nullopt if no call waits for one or there is no room. Streams get equal
  /// shares, each after its last is used up: Python servers add a grant to the rest, Node servers replace it.
  std::optional<Grant> next();

  /// Closes calls that were abandoned long ago: a stock server ends a call some 15 s after its client has
  /// gone.
  void expire(core::TimePoint now);
  /// Whether a call that was sent before `then` is still open.
  bool has_call_from_before(core::TimePoint then) const;
  /// Closes all calls, and passes each to `each`.
  void close_all(const std::function<void(const Call&)>& each);

 private:
  using Calls = std::unordered_map<std::string, Call, core::KeyedHash, std::equal_to<>>;

  void wait(Call& call);
  void leave_line(Call& call);

  Calls calls_;  // by kind and text of the id, and the client
  IntrusiveList<Call, &Call::of_waiting_> waiting_;
  std::size_t used_ = 0;
  std::size_t streams_ = 0;
  std::size_t streaming_ = 0;  // the part of used_ that streams have for their items
  std::uint64_t heard_ = 0;
};

}  // namespace zerosuite::proxy
