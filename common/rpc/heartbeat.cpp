#include "rpc/heartbeat.hpp"

#include <algorithm>

#include "rpc/conversation.hpp"

namespace zerosuite::rpc {
namespace {

using core::TimePoint;
using namespace std::chrono_literals;

constexpr auto kAnswerGap = 100ms;
constexpr auto kLongestGap = 1min;  // maximum interval of a client that we adapt to

}  // namespace

Heartbeat Heartbeat::server(core::Clock::duration interval, std::uint64_t version, TimePoint opened,
                            core::Clock::duration passive_limit, core::Clock::duration announced) {
  Heartbeat heartbeat(interval, interval * 9 / 10);
  heartbeat.answers_ = true;
  heartbeat.heard_at_ = opened;
  heartbeat.lost_at_ = opened + passive_limit;
  heartbeat.patience_ = 3 * announced;
  if (version >= kFirstActiveVersion) heartbeat.start(opened);
  return heartbeat;
}

Heartbeat Heartbeat::stand_in(core::Clock::duration interval, std::uint64_t version, TimePoint opened) {
  Heartbeat heartbeat(interval, interval * 9 / 10);
  heartbeat.answers_ = true;
  heartbeat.judges_ = false;
  if (version >= kFirstActiveVersion) heartbeat.start(opened);
  return heartbeat;
}

Heartbeat Heartbeat::client(core::Clock::duration interval, TimePoint opened) {
  Heartbeat heartbeat(interval, interval);
  if (interval > core::Clock::duration::zero()) heartbeat.start(opened);
  return heartbeat;
}

void Heartbeat::start(TimePoint now) {
  heard_at_ = now;  // stock clients send the first one interval after the call
  send_at_ = now + pace_;
  if (judges_) lost_at_ = now + std::max(3 * interval_, patience_);
}

Heartbeat::Due Heartbeat::due(TimePoint now) {
  if (now >= lost_at_) return Due::kLost;
  if (now < send_at_) return Due::kNothing;
  send_at_ = now + pace_;
  return Due::kSend;
}

TimePoint Heartbeat::next() const { return std::min(send_at_, lost_at_); }

bool Heartbeat::heard(TimePoint now) {
  ever_heard_ = true;
  if (!answers_) {
    alive(now);
    return false;
  }
  if (send_at_ == TimePoint::max()) start(now);
  const auto gap = std::min<core::Clock::duration>(now - heard_at_, kLongestGap);
  heard_at_ = now;
  lost_at_ = std::max(lost_at_, now + std::max(2 * std::max(interval_, gap), patience_));
  if (answered_at_ != TimePoint::min() && now - answered_at_ < kAnswerGap) return false;
  answered_at_ = now;
  return true;
}

void Heartbeat::alive(TimePoint now) {
  if (answers_ || lost_at_ == TimePoint::max())
    return;  // on the server's side only heartbeats count; stock clients send them
  lost_at_ = std::max(lost_at_, now + 2 * interval_);
}

}  // namespace zerosuite::rpc
