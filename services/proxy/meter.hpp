// How much a stock server may send over one connection before it was read, and whose turn it is to let it.
//
// A stock server throws away in silence what does not fit its socket: a thousand messages for each
// connection, of which libzmq may count up to half for unread when they are not. Clients that dial it
// themselves have a connection each; those behind the proxy share one, so their credit is passed on only as
// far as there is room.
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

/// Belongs to the loop's thread; knows no socket.
class Meter {
 public:
  /// Events that may be on their way to us. Below half of what a stock socket holds, by what its thread may
  /// send before it has learned how much was taken.
  static constexpr std::size_t kRoom = 400;
  /// A call takes room for its answer and for one heartbeat.
  static constexpr std::size_t kForCall = 2;
  /// Calls, or the items of streams, take no more than this together: neither keeps the other out.
  static constexpr std::size_t kForEither = 300;

  struct Call {
    wire::Envelope client;
    std::string id;  ///< As the client encoded it.
    std::uint64_t version = 3;
    core::TimePoint sent{};
    core::TimePoint abandoned = core::TimePoint::max();
    bool heard = false;  ///< Some event of it has come.

   private:
    friend class Meter;
    std::uint32_t out_ = 1;   // events the server may still send
    std::uint64_t owed_ = 0;  // granted by the client and not passed on yet
    bool streams_ = false;
    std::optional<std::uint64_t> beat_after_;  // what had been heard when its last heartbeat was passed on
    ListHook<Call> of_waiting_;
    bool waiting_ = false;
  };
  /// What is to be passed on now.
  struct Grant {
    Call* call;
    std::uint32_t events;
  };

  bool has_room() const { return used_ + kForCall <= kRoom && calls_.size() * kForCall < kForEither; }
  /// Of kRoom.
  std::size_t used() const { return used_; }
  bool empty() const { return calls_.empty(); }

  /// A call of that client is sent. Null when it has one of that id open.
  Call* open(const wire::Envelope& client, const wire::Event& event, core::TimePoint now);
  /// The call whose id that is, be it echoed as text or as bytes; null when there is none.
  Call* find(const wire::Envelope& client, std::string_view id);
  void close(Call& call);

  /// The client has granted that many events.
  void grant(Call& call, std::uint64_t events);
  /// Whether the client's heartbeat is to be passed on: not while the server has said nothing since the last
  /// one, since it then does not read, and they would fill its socket.
  bool may_beat(Call& call);
  /// Nobody waits for it any more; yet its answer may come, and is counted in until then.
  void abandon(Call& call, core::TimePoint now);
  /// An event of the call has come. It is closed when that was the last.
  void heard(Call& call, const wire::Event& event);
  /// Something else has come.
  void heard() { ++heard_; }

  /// The next grant to be passed on; nullopt when nobody wants one or there is no room. Streams get equal
  /// shares, and each only when it has used up its last: Python servers add a grant to what is left, and Node
  /// servers put it in its place.
  std::optional<Grant> next();

  /// Forgets the calls that were abandoned long ago: a stock server ends one some 15 s after its client has
  /// gone.
  void expire(core::TimePoint now);
  /// Whether a call that was sent before `then` is still open.
  bool has_call_from_before(core::TimePoint then) const;
  /// Forgets all, and calls `each` with what they were.
  void close_all(const std::function<void(const Call&)>& each);

 private:
  using Calls = std::unordered_map<std::string, Call, core::KeyedHash, std::equal_to<>>;

  void wait(Call& call);
  void leave_line(Call& call);

  Calls calls_;  // by kind and text of the id, and the client
  IntrusiveList<Call, &Call::of_waiting_> waiting_;
  std::size_t used_ = 0;
  std::size_t streams_ = 0;
  std::size_t streaming_ = 0;  // of used_, what streams have beyond their first event
  std::uint64_t heard_ = 0;
};

}  // namespace zerosuite::proxy
