// Whether a stock server still reads what it is sent, told from a server that is merely busy.
//
// Its socket answers for itself: ZeroMQ's thread takes messages and probes while nobody reads them. What
// reads is one green thread, which can hang for ever in the queue of a call that has just ended, and it
// stands still while a method computes. A ping goes unanswered in both cases. So one that is not answered in
// time counts only
//   - when no call of ours that came before the ping is open, so that nothing of ours can keep the server
//   busy; or,
//     after 15 s more, by which a stock server has ended every call whose heartbeats it did not read,
//   - when heartbeats of open calls, which come from timers of the same loop, show that it has been running.
// A first sign of life of any call shows that calls are read, and the time begins anew.
#pragma once

#include <optional>

#include "core/clock.hpp"

namespace zerosuite::proxy {

/// Pure: time in, a verdict out.
class PingWatch {
 public:
  /// A limit of zero never finds anything.
  explicit PingWatch(core::milliseconds limit) : limit_(limit) {}

  void asked(core::TimePoint now);
  /// The ping got some answer; from now on one that gets none says something.
  void answered(core::TimePoint now);
  /// The connection of the ping has ended: it says nothing.
  void forget() { asked_.reset(); }
  /// When the ping was sent that is not answered yet.
  std::optional<core::TimePoint> asked_at() const { return asked_; }
  core::TimePoint answered_at() const { return answered_; }

  /// The first event of some call has come.
  void read(core::TimePoint now) {
    read_ = now;
    begin_beats();
  }
  /// A heartbeat of a call has come.
  void beat(core::TimePoint now);
  /// A call that came before the ping is open.
  void busy(core::TimePoint now) { busy_ = now; }

  bool hangs(core::TimePoint now) const;

 private:
  void begin_beats() { first_beat_.reset(); }

  core::milliseconds limit_;
  bool answers_ = false;  // it has answered a ping before
  std::optional<core::TimePoint> asked_;
  core::TimePoint answered_{};
  core::TimePoint read_{};
  core::TimePoint busy_{};
  std::optional<core::TimePoint> first_beat_;  // since the ping and the last reading
  core::TimePoint last_beat_{};
};

}  // namespace zerosuite::proxy
