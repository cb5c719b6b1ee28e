// Decides when to send a heartbeat on a channel and when its other side counts as lost. Pure: time in,
// decisions out.
#pragma once

#include <cstdint>

#include "core/clock.hpp"

namespace zerosuite::rpc {

/// Stock peers send `_zpc_hb` every f, starting f after the channel opened, and accept nothing else as a sign
/// of life: python gives up after 3f without any heartbeat, and later 2f after the last one; node after 2f
/// (docs/protocol.md, "Heartbeats").
class Heartbeat {
 public:
  /// The server's side of a channel. Sends a little early, replies at once to the client's heartbeats, and
  /// adapts to the client's interval; together these suit clients with any interval. A client of version 1
  /// has not asked for heartbeats: the server stays passive until one arrives, and gives the client up after
  /// `passive_limit`: a REQ client is silent while it waits, so only a time limit shows that it is gone if
  /// its connection does not end. A client that has announced an interval is waited for three times as long.
  static Heartbeat server(core::Clock::duration interval, std::uint64_t version, core::TimePoint opened,
                          core::Clock::duration passive_limit = std::chrono::minutes(5),
                          core::Clock::duration announced = {});
  /// The server's side of a channel that has no server yet: sends and replies in its place, and never gives
  /// the client up.
  static Heartbeat stand_in(core::Clock::duration interval, std::uint64_t version, core::TimePoint opened);
  /// The caller's side. An interval of zero neither sends nor gives up.
  static Heartbeat client(core::Clock::duration interval, core::TimePoint opened);

  enum class Due : std::uint8_t { kNothing, kSend, kLost };
  /// What is due now. On kSend the caller must send a heartbeat; on kLost it must close the channel.
  Due due(core::TimePoint now);
  /// Nothing is due before this; TimePoint::max() when nothing ever is.
  core::TimePoint next() const;

  /// Whether a heartbeat ever arrived. A peer that has sent none may still be alive and waiting: its interval
  /// may be longer than ours, or it may send none.
  bool ever_heard() const { return ever_heard_; }
  /// Time since the last heartbeat; on the server's side only.
  core::Clock::duration silence(core::TimePoint now) const { return now - heard_at_; }

  /// To be called when a `_zpc_hb` arrives. Returns whether to reply at once: on the server's side, at most
  /// ten times a second.
  bool heard(core::TimePoint now);
  /// To be called when any other event arrives: a sign of life for a caller.
  void alive(core::TimePoint now);

 private:
  Heartbeat(core::Clock::duration interval, core::Clock::duration pace) : interval_(interval), pace_(pace) {}
  void start(core::TimePoint now);

  core::Clock::duration interval_;
  core::Clock::duration pace_;         // interval of our heartbeats
  core::Clock::duration patience_{0};  // the least silence that counts as loss
  bool answers_ = false;
  bool judges_ = true;  // whether silence counts as loss
  bool ever_heard_ = false;
  core::TimePoint send_at_ = core::TimePoint::max();
  core::TimePoint lost_at_ = core::TimePoint::max();
  core::TimePoint heard_at_;  // or the start, while none has come
  core::TimePoint answered_at_ = core::TimePoint::min();
};

}  // namespace zerosuite::rpc
