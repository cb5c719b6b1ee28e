// When to send a heartbeat on a channel, and when to give its other side up. Pure: time in, decisions out.
#pragma once

#include <cstdint>

#include "core/clock.hpp"

namespace zerosuite::rpc {

/// Stock peers send `_zpc_hb` every f, first f after the channel opened, and count nothing else as a sign of
/// life: python gives up after 3f without any and then 2f after the last, node after 2f (docs/protocol.md,
/// "Heartbeats").
class Heartbeat {
 public:
  /// The server's side of a channel. Sends a little early, answers what it hears at once, and adapts to the
  /// client's interval; together these carry clients of every setting. A client of version 1 has not asked
  /// for heartbeats: the server stays passive until it hears one, and gives it up after `passive_limit`: a
  /// REQ client is silent while it waits, so only time can tell that it is gone when its connection does not.
  static Heartbeat server(core::Clock::duration interval, std::uint64_t version, core::TimePoint opened,
                          core::Clock::duration passive_limit = std::chrono::minutes(5));
  /// The server's side of a channel that no server has yet: it beats and answers in its place, and never
  /// gives the client up.
  static Heartbeat stand_in(core::Clock::duration interval, std::uint64_t version, core::TimePoint opened);
  /// The caller's side. An interval of zero neither sends nor gives up.
  static Heartbeat client(core::Clock::duration interval, core::TimePoint opened);

  enum class Due : std::uint8_t { kNothing, kSend, kLost };
  /// What is due now. After kSend the caller sends one; after kLost it closes the channel.
  Due due(core::TimePoint now);
  /// Nothing is due before this; TimePoint::max() when nothing ever is.
  core::TimePoint next() const;

  /// Whether a heartbeat ever came. One that never sent any may be there all the same, and wait: it may beat
  /// more seldom than we can know, or not at all.
  bool ever_heard() const { return ever_heard_; }
  /// How long none has come; on the server's side.
  core::Clock::duration silence(core::TimePoint now) const { return now - heard_at_; }

  /// A `_zpc_hb` arrived. True when it wants an answer at once: on the server's side, at most ten a second.
  bool heard(core::TimePoint now);
  /// Any other event arrived: a sign of life for a caller.
  void alive(core::TimePoint now);

 private:
  Heartbeat(core::Clock::duration interval, core::Clock::duration pace) : interval_(interval), pace_(pace) {}
  void start(core::TimePoint now);

  core::Clock::duration interval_;
  core::Clock::duration pace_;  // between two of ours
  bool answers_ = false;
  bool judges_ = true;  // whether silence ends it
  bool ever_heard_ = false;
  core::TimePoint send_at_ = core::TimePoint::max();
  core::TimePoint lost_at_ = core::TimePoint::max();
  core::TimePoint heard_at_;  // or the start, as long as none was
  core::TimePoint answered_at_ = core::TimePoint::min();
};

}  // namespace zerosuite::rpc
