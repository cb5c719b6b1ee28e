#include "proxy/ping_watch.hpp"

#include <algorithm>

namespace zerosuite::proxy {
namespace {

using namespace std::chrono_literals;

constexpr auto kCallsEndAfter = 15s;  // for calls with unread heartbeats, at a stock server's usual 5 s
constexpr auto kRunning = 4s;         // heartbeats this far apart show that the loop runs

}  // namespace

void PingWatch::asked(core::TimePoint now) {
  asked_ = now;
  begin_beats();
}

void PingWatch::answered(core::TimePoint now) {
  answers_ = true;
  answered_ = now;
  asked_.reset();
}

void PingWatch::beat(core::TimePoint now) {
  if (!first_beat_) first_beat_ = now;
  last_beat_ = now;
}

bool PingWatch::hangs(core::TimePoint now) const {
  if (limit_ == 0ms || !answers_ || !asked_) return false;
  const core::TimePoint read = std::max(*asked_, read_);
  if (now - std::max(read, busy_) >= limit_) return true;
  const bool runs = first_beat_ && last_beat_ - *first_beat_ >= kRunning;
  return runs && now - read >= limit_ + kCallsEndAfter;
}

}  // namespace zerosuite::proxy
