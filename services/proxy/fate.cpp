// What time and death do to a call: the other half of Dispatch.
#include <algorithm>
#include <utility>

#include "proxy/dispatch.hpp"
#include "proxy/frames.hpp"

namespace zerosuite::proxy {
namespace {

using namespace std::chrono_literals;
using core::TimePoint;

constexpr std::uint64_t kFirstActiveVersion = 2;  // older clients send no heartbeats of their own
constexpr char kRetryHint[] = " {\"retry_after_ms\":200}";

}  // namespace

// A client's own interval decides: one that has never beaten has promised nothing, and one that beats once a
// minute may be silent for three. The proxy is no stricter than a server is.
TimePoint Dispatch::silence_limit(const Channel& channel) const {
  constexpr int kBeatsMissed = 3;
  if (channel.gap == core::Clock::duration::zero()) return TimePoint::max();
  return channel.beat + kBeatsMissed * std::max<core::Clock::duration>(channel.gap, options_.heartbeat);
}

// As long as the worker's link is alive and the client's connection too, a call lasts as long as it takes.
TimePoint Dispatch::expiry(const Channel& channel) const {
  const bool silent_by_nature =
      channel.version < kFirstActiveVersion && channel.gap == core::Clock::duration::zero();
  const TimePoint idle =
      silent_by_nature ? channel.opened + options_.channel_age : channel.heard + options_.channel_idle;
  return std::min(idle, silence_limit(channel));
}

void Dispatch::rearm(Channel& channel) {
  const TimePoint end = std::min(channel.answered ? TimePoint::max() : channel.deadline, expiry(channel));
  channel.timer.at(channel.state == Channel::State::kOpen
                       ? end
                       : std::min({end, channel.aside->until, channel.aside->heartbeat.next()}));
}

void Dispatch::beaten(Channel& channel) {
  const bool first = channel.gap == core::Clock::duration::zero();
  channel.gap = std::max({channel.gap, now() - channel.beat, core::Clock::duration(1)});
  channel.beat = now();
  if (first) rearm(channel);
}

void Dispatch::due(Channel& channel) {
  if (!channel.answered && now() >= channel.deadline) {
    tell_cancelled(channel);
    return fail(channel, {core::kDeadlineExceeded,
                          "the deadline passed before " + std::string(channel.name()) + "() had answered"});
  }
  if (now() >= expiry(channel)) return expire(channel);
  channel.state == Channel::State::kOpen ? rearm(channel) : due_apart(channel);
}

// A client that has stopped beating has given the call up, or will when it misses the worker's beats.
void Dispatch::expire(Channel& channel) {
  ++counters_.expired;
  if (now() >= silence_limit(channel)) return abandon(channel);
  tell_cancelled(channel);
  std::string words = channel.state == Channel::State::kOrphaned
                          ? channel.aside->last_words
                          : "neither side of " + std::string(channel.name()) + "() was heard for too long";
  fail(channel, {core::kWorkerLost, std::move(words)});
}

// No worker has it, so the proxy speaks for itself.
void Dispatch::due_apart(Channel& channel) {
  if (now() >= channel.aside->until) return give_up(channel);
  const bool beats = channel.aside->heartbeat.due(now()) == rpc::Heartbeat::Due::kSend;
  if (beats && responder_.heartbeat(info(channel)) == rpc::Delivery::kGone)
    return lose_client(channel.client.outermost());
  rearm(channel);
}

void Dispatch::give_up(Channel& channel) {
  const Service& service = *channel.service;
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
  while (Channel* const channel = worker.channels.first()) lose_call(*channel, reason);
  Outlet& outlet = *worker.outlet;
  directory_.remove(worker);
  hurry(service);
  if (service.workers.empty()) {
    service.left = now();
    if (!forget_.armed()) forget_.after(options_.forget_for);
  }
  outlet.lost(reason);
}

// Calls that still wait for it refer to it; their time is short.
Service* Dispatch::longest_left() const {
  Service* longest = nullptr;
  for (const auto& [name, service] : directory_.services()) {
    const bool may_go = !service->configured && service->workers.empty() && service->queue.empty();
    if (may_go && (longest == nullptr || service->left < longest->left)) longest = service.get();
  }
  return longest;
}

bool Dispatch::forget_oldest() {
  Service* const longest = longest_left();
  if (longest != nullptr) directory_.forget(*longest);
  return longest != nullptr;
}

void Dispatch::forget_those_due() {
  for (Service* longest = longest_left(); longest != nullptr; longest = longest_left()) {
    if (now() < longest->left + options_.forget_for) break;
    directory_.forget(*longest);
  }
  TimePoint next = TimePoint::max();
  for (const auto& [name, service] : directory_.services()) {
    if (!service->configured && service->workers.empty())
      next = std::min(next, service->left + options_.forget_for);
  }
  if (next != TimePoint::max())
    forget_.at(std::max(next, now() + 1s));  // one with calls that wait is due already
}

void Dispatch::lose_call(Channel& channel, std::string_view reason) {
  const bool may_retry = channel.idempotent && !channel.retried && !channel.answered;
  may_retry ? retry(channel) : orphan(channel, reason);
}

// Its last answers may be here unread, and reading them may take it out, or doom others.
void Dispatch::lose_doomed() {
  while (!doomed_.empty()) {
    Worker* const worker = doomed_.back();
    worker->outlet->read_up();
    if (!doomed_.empty() && doomed_.back() == worker) lose(*worker, kConnectionEnded);
  }
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
  channel.connection->kept_bytes -= channel.kept.size();
  auto frames = follow_up(channel.client, std::move(channel.kept));
  place(channel, frames);
}

// A client takes an event more than it granted for a flood, and a stock one then gives up what it has. It may
// take its time over the items before it asks for more.
void Dispatch::orphan(Channel& channel, std::string_view reason) {
  std::string words = "worker " + channel.worker->id + " was lost before " + std::string(channel.name()) +
                      "() had ended: " + std::string(reason);
  leave_worker(channel);
  if (channel.credit > 0) return fail(channel, {core::kWorkerLost, std::move(words)});
  channel.service = &unknown_;  // its own may be forgotten before the client asks for more
  channel.state = Channel::State::kOrphaned;
  set_aside(channel, TimePoint::max());
  channel.aside->last_words = std::move(words);
  rearm(channel);
}

void Dispatch::answered(Worker& worker, bool unavailable) {
  balance_.answered(worker.load, unavailable, now());
}

}  // namespace zerosuite::proxy
