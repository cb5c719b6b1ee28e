// What time and death do to a call: the other half of Dispatcher.
#include <algorithm>
#include <utility>

#include "proxy/dispatcher.hpp"
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
TimePoint Dispatcher::silence_limit(const Route& route) const {
  constexpr int kBeatsMissed = 3;
  if (route.gap == core::Clock::duration::zero()) return TimePoint::max();
  return route.beat + kBeatsMissed * std::max<core::Clock::duration>(route.gap, options_.heartbeat);
}

// As long as the worker's link is alive and the client's connection too, a call lasts as long as it takes.
TimePoint Dispatcher::expiry(const Route& route) const {
  const bool silent_by_nature =
      route.version < kFirstActiveVersion && route.gap == core::Clock::duration::zero();
  const TimePoint idle =
      silent_by_nature ? route.opened + options_.channel_age : route.heard + options_.channel_idle;
  return std::min(idle, silence_limit(route));
}

void Dispatcher::rearm(Route& route) {
  const TimePoint end = std::min(route.answered ? TimePoint::max() : route.deadline, expiry(route));
  route.timer.at(route.state == Route::State::kOpen
                     ? end
                     : std::min({end, route.pending->until, route.pending->heartbeat.next()}));
}

void Dispatcher::on_heartbeat(Route& route) {
  const bool first = route.gap == core::Clock::duration::zero();
  route.gap = std::max({route.gap, now() - route.beat, core::Clock::duration(1)});
  route.beat = now();
  if (first) rearm(route);
}

void Dispatcher::due(Route& route) {
  if (!route.answered && now() >= route.deadline) {
    tell_cancelled(route);
    return fail(route, {core::kDeadlineExceeded,
                        "the deadline passed before " + std::string(route.name()) + "() had answered"});
  }
  if (now() >= expiry(route)) return expire(route);
  route.state == Route::State::kOpen ? rearm(route) : due_pending(route);
}

// A client that has stopped beating has given the call up, or will when it misses the worker's beats.
void Dispatcher::expire(Route& route) {
  ++counters_.expired;
  if (now() >= silence_limit(route)) return abandon(route);
  tell_cancelled(route);
  std::string words = route.state == Route::State::kOrphaned
                          ? route.pending->lost_message
                          : "neither side of " + std::string(route.name()) + "() was heard for too long";
  fail(route, {core::kWorkerLost, std::move(words)});
}

// No worker has it, so the proxy speaks for itself.
void Dispatcher::due_pending(Route& route) {
  if (now() >= route.pending->until) return give_up(route);
  const bool beats = route.pending->heartbeat.due(now()) == rpc::Heartbeat::Due::kSend;
  if (beats && writer_.heartbeat(info(route)) == rpc::Delivery::kGone)
    return lose_client(route.client.outermost());
  rearm(route);
}

void Dispatcher::give_up(Route& route) {
  const Service& service = *route.service;
  if (service.has_live_worker()) return fail(route, overloaded(route));
  const std::string who = &service == &unknown_
                              ? "no worker has offered " + std::string(route.name()) + " yet"
                              : "no worker for service " + service.name;
  fail(route, {core::kUnavailable, who + kRetryHint});
}

core::Error Dispatcher::overloaded(const Route& route) {
  return {core::kOverloaded, "no worker has room for " + std::string(route.name()) + kRetryHint};
}

void Dispatcher::on_client_event(Route& route, bool beat) {
  if (route.state == Route::State::kOrphaned && route.credit > 0)
    return fail(route, {core::kWorkerLost, route.pending->lost_message});
  if (!beat) return;
  if (route.pending->heartbeat.heard(now()) && writer_.heartbeat(info(route)) == rpc::Delivery::kGone)
    return lose_client(route.client.outermost());
  rearm(route);
}

void Dispatcher::lose_later(Worker& worker) {
  if (worker.load.gone) return;
  worker.load.gone = true;
  to_lose_.push_back(&worker);
  lose_later_.after(0ms);
}

void Dispatcher::lose(Worker& worker, std::string_view reason) {
  std::erase(to_lose_, &worker);
  worker.load.gone = true;
  Service& service = *worker.service;
  while (Route* const route = worker.channels.first()) lose_call(*route, reason);
  WorkerConnection& connection = *worker.connection;
  registry_.remove(worker);
  shorten_deadlines(service);
  if (service.workers.empty()) {
    service.left = now();
    if (!forget_.armed()) forget_.after(options_.forget_for);
  }
  connection.lost(reason);
}

// Calls that still wait for it refer to it; their time is short.
Service* Dispatcher::longest_left() const {
  Service* longest = nullptr;
  for (const auto& [name, service] : registry_.services()) {
    const bool may_go = !service->configured && service->workers.empty() && service->queue.empty();
    if (may_go && (longest == nullptr || service->left < longest->left)) longest = service.get();
  }
  return longest;
}

bool Dispatcher::forget_oldest() {
  Service* const longest = longest_left();
  if (longest != nullptr) registry_.forget(*longest);
  return longest != nullptr;
}

void Dispatcher::forget_those_due() {
  for (Service* longest = longest_left(); longest != nullptr; longest = longest_left()) {
    if (now() < longest->left + options_.forget_for) break;
    registry_.forget(*longest);
  }
  TimePoint next = TimePoint::max();
  for (const auto& [name, service] : registry_.services()) {
    if (!service->configured && service->workers.empty())
      next = std::min(next, service->left + options_.forget_for);
  }
  if (next != TimePoint::max())
    forget_.at(std::max(next, now() + 1s));  // one with calls that wait is due already
}

void Dispatcher::lose_call(Route& route, std::string_view reason) {
  const bool may_retry = route.idempotent && !route.retried && !route.answered;
  may_retry ? retry(route) : orphan(route, reason);
}

// Its last answers may be here unread, and reading them may take it out, or doom others.
void Dispatcher::lose_those_due() {
  while (!to_lose_.empty()) {
    Worker* const worker = to_lose_.back();
    worker->connection->read_up();
    if (!to_lose_.empty() && to_lose_.back() == worker) lose(*worker, kConnectionEnded);
  }
}

void Dispatcher::shorten_deadlines(Service& service) {
  if (service.has_live_worker()) return;
  const TimePoint limit = now() + options_.no_worker_for;
  for (Route* route = service.queue.first(); route != nullptr; route = service.queue.after(*route)) {
    route->pending->until = std::min(route->pending->until, limit);
    rearm(*route);
  }
}

void Dispatcher::leave_worker(Route& route) {
  route.worker->channels.remove(route);
  --route.worker->load.outstanding;
  route.worker = nullptr;
  route.state = Route::State::kNew;
}

void Dispatcher::retry(Route& route) {
  leave_worker(route);
  route.retried = true;
  ++counters_.retries;
  kept_bytes_ -= route.kept.size();
  route.connection->kept_bytes -= route.kept.size();
  auto frames = follow_up(route.client, std::move(route.kept));
  place(route, frames);
}

// A client takes an event more than it granted for a flood, and a stock one then gives up what it has. It may
// take its time over the items before it asks for more.
void Dispatcher::orphan(Route& route, std::string_view reason) {
  std::string words = "worker " + route.worker->id + " was lost before " + std::string(route.name()) +
                      "() had ended: " + std::string(reason);
  leave_worker(route);
  if (route.credit > 0) return fail(route, {core::kWorkerLost, std::move(words)});
  route.service = &unknown_;  // its own may be forgotten before the client asks for more
  route.state = Route::State::kOrphaned;
  set_aside(route, TimePoint::max());
  route.pending->lost_message = std::move(words);
  rearm(route);
}

void Dispatcher::answered(Worker& worker, bool unavailable) {
  balance_.answered(worker.load, unavailable, now());
}

}  // namespace zerosuite::proxy
