// Distinguishes a stock server that no longer reads its messages from one that is merely busy.
//
// A live socket proves nothing: ZeroMQ's thread accepts messages and probes even if the application does not
// read. Reading is done by one green thread, which can hang for ever in the queue of a call that has just
// ended, and which does not run while a method computes. In both cases a ping gets no reply. So an overdue
// ping counts only
//   - if no call of the proxy that came before the ping is open, so that none of them can keep it busy; or
//   - after 15 s more, by which a stock server has ended every call whose heartbeats it did not read, if
//     heartbeats of open calls, which come from timers of the same loop, show that it has been running.
// The first event of any call shows that calls are read, and restarts the timeout.
#pragma once

#include <algorithm>
#include <optional>

#include "core/clock.hpp"

namespace zerosuite::proxy {

/// Does no I/O and reads no clock.
class PingWatch {
 public:
  /// A limit of zero disables it.
  explicit PingWatch(core::milliseconds limit) : limit_(limit) {}

  void asked(core::TimePoint now);
  /// The ping got a reply. Before the first reply, missing ones are ignored.
  void answered(core::TimePoint now);
  /// The connection of the ping has ended: the ping no longer counts.
  void forget() { asked_.reset(); }
  /// When the outstanding ping was sent; nullopt if there is none.
  std::optional<core::TimePoint> asked_at() const { return asked_; }
  core::TimePoint answered_at() const { return answered_; }

  /// The first event of a call has arrived.
  void read(core::TimePoint now) {
    read_ = now;
    begin_beats();
  }
  /// A heartbeat of a call has arrived.
  void beat(core::TimePoint now);
  /// A call that came before the ping is still open.
  void busy(core::TimePoint now) { busy_ = now; }

  bool hangs(core::TimePoint now) const;

 private:
  // For calls with unread heartbeats, at a stock server's usual 5 s.
  static constexpr std::chrono::seconds kCallsEndAfter{15};
  static constexpr std::chrono::seconds kRunning{4};  // heartbeats this far apart show that the loop runs

  void begin_beats() { first_beat_.reset(); }

  core::milliseconds limit_;
  bool answers_ = false;  // a ping has got a reply before
  std::optional<core::TimePoint> asked_;
  core::TimePoint answered_{};
  core::TimePoint read_{};
  core::TimePoint busy_{};
  std::optional<core::TimePoint> first_beat_;  // since the ping and the last read()
  core::TimePoint last_beat_{};
};

inline void PingWatch::asked(core::TimePoint now) {
  asked_ = now;
  begin_beats();
}

inline void PingWatch::answered(core::TimePoint now) {
  answers_ = true;
  answered_ = now;
  asked_.reset();
}

inline void PingWatch::beat(core::TimePoint now) {
  if (!first_beat_) first_beat_ = now;
  last_beat_ = now;
}

inline bool PingWatch::hangs(core::TimePoint now) const {
  if (limit_ == core::milliseconds(0) || !answers_ || !asked_) return false;
  const core::TimePoint read = std::max(*asked_, read_);
  if (now - std::max(read, busy_) >= limit_) return true;
  const bool runs = first_beat_ && last_beat_ - *first_beat_ >= kRunning;
  return runs && now - read >= limit_ + kCallsEndAfter;
}

}  // namespace zerosuite::proxy
