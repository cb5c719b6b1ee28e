// What time and death do to a call: the other half of Dispatch.
#include <algorithm>
#include <utility>

#include "proxy/dispatch.hpp"
#include "proxy/frames.hpp"

namespace zerosuite::proxy {
namespace {

using namespace std::chrono_literals;
using core::TimePoint;

constexpr auto kOrphanPatience = 10s;             // as long as a stock client waits for a lost server
constexpr std::uint64_t kFirstActiveVersion = 2;  // older clients send no heartbeats of their own
constexpr char kRetryHint[] = " {\"retry_after_ms\":200}";

}  // namespace

TimePoint Dispatch::expiry(const Channel& channel) const {
  if (channel.version < kFirstActiveVersion) return channel.opened + options_.channel_age;
  return channel.heard + options_.channel_idle;
}

void Dispatch::rearm(Channel& channel) {
  const TimePoint deadline = channel.answered ? TimePoint::max() : channel.deadline;
  channel.timer.at(channel.state == Channel::State::kOpen
                       ? std::min(deadline, expiry(channel))
                       : std::min({deadline, channel.aside->until, channel.aside->heartbeat.next()}));
}

void Dispatch::due(Channel& channel) {
  if (!channel.answered && now() >= channel.deadline) {
    tell_cancelled(channel);
    return fail(channel, {core::kDeadlineExceeded,
                          "the deadline passed before " + std::string(channel.name()) + "() had answered"});
  }
  if (channel.state != Channel::State::kOpen) return due_apart(channel);
  if (now() < expiry(channel)) return rearm(channel);
  ++counters_.expired;
  tell_cancelled(channel);
  fail(channel,
       {core::kWorkerLost, "neither side of " + std::string(channel.name()) + "() was heard for too long"});
}

// No worker has it, so the proxy speaks for itself.
void Dispatch::due_apart(Channel& channel) {
  if (now() >= channel.aside->until) return give_up(channel);
  switch (channel.aside->heartbeat.due(now())) {
    case rpc::Heartbeat::Due::kNothing:
      return rearm(channel);
    case rpc::Heartbeat::Due::kSend:
      if (responder_.heartbeat(info(channel)) == rpc::Delivery::kGone)
        return lose_client(channel.client.outermost());
      return rearm(channel);
    case rpc::Heartbeat::Due::kLost:
      ++counters_.expired;
      return finish(channel);
  }
}

void Dispatch::give_up(Channel& channel) {
  const Service& service = *channel.service;
  if (channel.state == Channel::State::kOrphaned) return finish(channel);  // it never granted credit
  if (service.has_live_worker()) return fail(channel, overloaded(channel));
  const std::string who = &service == &unknown_
                              ? "no worker has offered " + std::string(channel.name()) + " yet"
                              : "no worker for service " + service.name;
  fail(channel, {core::kUnavailable, who + kRetryHint});
}

core::Error Dispatch::overloaded(const Channel& channel) {
  return {core::kOverloaded, "no worker has room for " + std::string(channel.name()) + kRetryHint};
}

void Dispatch::hear(Channel& channel, bool beat) {
  if (channel.state == Channel::State::kOrphaned && channel.credit > 0)
    return fail(channel, {core::kWorkerLost, channel.aside->last_words});
  if (!beat) return;
  if (channel.aside->heartbeat.heard(now()) && responder_.heartbeat(info(channel)) == rpc::Delivery::kGone)
    return lose_client(channel.client.outermost());
  rearm(channel);
}

void Dispatch::doom(Worker& worker) {
  if (worker.load.gone) return;
  worker.load.gone = true;
  doomed_.push_back(&worker);
  doom_.after(0ms);
}

void Dispatch::lose(Worker& worker, std::string_view reason) {
  std::erase(doomed_, &worker);
  worker.load.gone = true;
  Service& service = *worker.service;
  while (Channel* const channel = worker.channels.first()) {
    if (channel->idempotent && !channel->retried && !channel->answered) {
      retry(*channel);
    } else {
      orphan(*channel, reason);
    }
  }
  Outlet& outlet = *worker.outlet;
  directory_.remove(worker);
  hurry(service);
  outlet.lost(reason);
}

void Dispatch::hurry(Service& service) {
  if (service.has_live_worker()) return;
  const TimePoint limit = now() + options_.no_worker_for;
  for (Channel* channel = service.queue.first(); channel != nullptr;
       channel = service.queue.after(*channel)) {
    channel->aside->until = std::min(channel->aside->until, limit);
    rearm(*channel);
  }
}

void Dispatch::leave_worker(Channel& channel) {
  channel.worker->channels.remove(channel);
  --channel.worker->load.outstanding;
  channel.worker = nullptr;
  channel.state = Channel::State::kNew;
}

void Dispatch::retry(Channel& channel) {
  leave_worker(channel);
  channel.retried = true;
  ++counters_.retries;
  kept_bytes_ -= channel.kept.size();
  auto frames = follow_up(channel.client, std::move(channel.kept));
  place(channel, frames);
}

// A client takes an event more than it granted for a flood, and a stock one then gives up what it has.
void Dispatch::orphan(Channel& channel, std::string_view reason) {
  std::string words = "worker " + channel.worker->id + " was lost before " + std::string(channel.name()) +
                      "() had ended: " + std::string(reason);
  leave_worker(channel);
  if (channel.credit > 0) return fail(channel, {core::kWorkerLost, std::move(words)});
  channel.state = Channel::State::kOrphaned;
  set_aside(channel, kOrphanPatience);
  channel.aside->last_words = std::move(words);
  rearm(channel);
}

void Dispatch::answered(Worker& worker, bool unavailable) {
  balance_.answered(worker.load, unavailable, now());
}

}  // namespace zerosuite::proxy
