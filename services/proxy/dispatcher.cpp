#include "proxy/dispatcher.hpp"

#include <algorithm>
#include <utility>

#include "core/random.hpp"
#include "proxy/frames.hpp"
#include "rpc/transport/receive_loop.hpp"
#include "wire/event.hpp"

namespace zerosuite::proxy {
namespace {

using namespace std::chrono_literals;
using core::TimePoint;

constexpr auto kRoomAfter = 2ms;  // polled: a ROUTER does not signal room in one worker's pipe
constexpr char kRetryHint[] = " {\"retry_after_ms\":200}";

}  // namespace

Dispatcher::Dispatcher(net::Timers& timers, ClientSink& front, ServiceRegistry& registry,
                       const DispatcherOptions& options)
    : timers_(timers),
      registry_(registry),
      options_(options),
      balance_(options.balance, core::random_bits()),
      writer_(front, options.limits.max_frame_bytes),
      copies_(options.retry_bytes),
      queues_({options.queue_calls, options.queue_bytes},
              [this](Route& route) { fail(route, overloaded(route)); }),
      expiry_(timers, registry, options.forget_for),
      lose_later_(timers, [this] { lose_those_due(); }),
      serve_(timers, [this] { serve_all(); }),
      room_(timers, [this] { serve_all(); }) {}

void Dispatcher::resolve(Route& route, const ServiceRegistry::Target& target, net::Frame& payload) {
  route.service = target.service;
  route.method_size = target.method->name.size();
  if (target.service->sticky)
    route.key = first_argument(wire::peek(view(payload), options_.limits), options_.limits);
  if (target.method->idempotent) copies_.keep(route, payload);
}

void Dispatcher::place(Route& route, std::vector<net::Frame>& frames) {
  // Calls do not overtake the queue, unless the queued ones wait for specific workers.
  const bool may_try = route.service->queue.empty() || route.service->sticky;
  if (may_try && give(route, frames)) return;
  wait(route, frames);
}

void Dispatcher::place_unknown(Route& route, std::vector<net::Frame>& frames) {
  route.service = &queues_.unknown();
  wait(route, frames);
}

bool Dispatcher::give(Route& route, std::vector<net::Frame>& frames) {
  while (Worker* const worker = choose(route)) {
    switch (attempt(*worker, route, frames)) {
      case net::Sent::kYes:
        assign(route, *worker);
        return true;
      case net::Sent::kFull:
        worker->load.full_until = now() + kRoomAfter;
        if (!room_.armed()) room_.after(kRoomAfter);
        break;
      case net::Sent::kGone:
        lose_later(*worker);
        break;
    }
  }
  return false;
}

Worker* Dispatcher::choose(const Route& route) {
  const Service& service = *route.service;
  const auto& workers = service.workers;
  const std::string_view method = route.method();
  const auto can = [&](const Worker& worker) {
    return worker.load.alive() && (service.uniform || worker.methods.contains(method));
  };
  if (service.sticky && !route.key.empty()) {
    const auto id_of = [&](std::size_t i) {
      return can(*workers[i]) ? std::string_view(workers[i]->id) : std::string_view();
    };
    const auto owner = Balance::owner(workers.size(), id_of, route.key);
    return owner && workers[*owner]->load.has_room(now()) ? workers[*owner] : nullptr;
  }
  const auto load_of = [&](std::size_t i) { return can(*workers[i]) ? &workers[i]->load : nullptr; };
  const auto picked = balance_.pick(workers.size(), load_of, now());
  return picked ? workers[*picked] : nullptr;
}

net::Sent Dispatcher::attempt(Worker& worker, const Route& route, std::vector<net::Frame>& frames) {
  const std::string_view method = route.method();
  if (!worker.bare_names || method.size() == route.name().size()) return worker.connection->attempt(frames);
  // A stock server knows its methods without the service name; only its payloads are re-encoded.
  net::Frame original = std::exchange(frames.back(), renamed(frames.back(), method, options_.limits));
  const net::Sent sent = worker.connection->attempt(frames);
  if (sent != net::Sent::kYes) frames.back() = std::move(original);
  return sent;
}

void Dispatcher::assign(Route& route, Worker& worker) {
  route.worker = &worker;
  route.state = Route::State::kOpen;
  route.heard = now();
  worker.channels.append(route);
  worker.load.used = now();
  ++worker.load.outstanding;
  ++worker.calls;
  rearm(route);
}

void Dispatcher::wait(Route& route, std::vector<net::Frame>& frames) {
  Service& service = *route.service;
  if (!queues_.make_room(service, *route.connection, rpc::size_of(frames)))
    return fail(route, overloaded(route));
  route.state = Route::State::kWaiting;
  set_aside(route, now() + (service.has_live_worker() ? options_.queue_for : options_.no_worker_for));
  queues_.add(route, frames);
  if (!room_.armed()) room_.after(kRoomAfter);
  rearm(route);
}

void Dispatcher::set_aside(Route& route, TimePoint until) {
  const auto heartbeat = rpc::Heartbeat::stand_in(options_.heartbeat, route.conversation.version(), now());
  route.pending = std::make_unique<PendingState>(heartbeat, until);
}

void Dispatcher::serve(Service& service) {
  for (Route* route = service.queue.first(); route != nullptr;) {
    Route* const next = service.queue.after(*route);
    if (give(*route, route->pending->request)) {
      queues_.remove(*route);
    } else if (service.uniform && !service.sticky) {
      return;  // if the first call cannot be dispatched, none behind it can
    }
    route = next;
  }
}

void Dispatcher::serve_all() {
  bool waiting = false;
  for (const auto& [name, service] : registry_.services()) {
    serve(*service);
    waiting = waiting || (!service->queue.empty() && service->may_have_room());
  }
  if (waiting) room_.after(kRoomAfter);
}

void Dispatcher::worker_added(Worker& worker) {
  if (worker.load.since == TimePoint()) worker.load.since = now();
  while (Route* const route = queues_.first_known(registry_)) {  // placing one may end others
    std::vector<net::Frame> frames = std::move(route->pending->request);
    queues_.remove(*route);
    route->state = Route::State::kNew;
    resolve(*route, registry_.look_up(route->name()), frames.back());
    place(*route, frames);
  }
  serve(*worker.service);
}

void Dispatcher::finish(Route& route) {
  Service& service = *route.service;
  const bool freed = route.worker != nullptr;
  if (freed) {
    leave_worker(route);
  } else if (route.state == Route::State::kWaiting) {
    queues_.remove(route);
  }
  copies_.drop(route);
  routes_.close(route);
  if (freed && !service.queue.empty()) serve_.later();  // after all calls that end in this turn
  if (routes_.size() == 0 && empty_) std::exchange(empty_, nullptr)();
}

void Dispatcher::fail(Route& route, const core::Error& error) {
  counters_.count_error(error.name);
  const std::string connection(route.client.outermost());
  const rpc::Delivery delivery = writer_.error(info(route), error);
  delivery == rpc::Delivery::kGone ? lose_client(connection) : finish(route);
}

void Dispatcher::refuse_answer(Route& route, const core::Error& error) {
  tell_cancelled(route);
  fail(route, error);
}

void Dispatcher::abandon(Route& route) {
  ++counters_.abandoned;
  tell_cancelled(route);
  finish(route);
}

void Dispatcher::tell_cancelled(const Route& route) {
  if (route.worker == nullptr) return;
  auto frames = follow_up(route.client, cancel_event(ids_, route.id()));
  if (route.worker->connection->forward(frames) == rpc::Delivery::kGone) lose_later(*route.worker);
}

void Dispatcher::lose_client(std::string_view identity) {
  const std::string gone(identity);  // a copy: `identity` may belong to a channel
  if (routes_.client(gone) == nullptr) return;
  ++counters_.clients_lost;
  while (Client* const client = routes_.client(gone)) abandon(*client->channels.first());
}

void Dispatcher::fail_all(const core::Error& error) {
  while (Route* const route = routes_.any()) {
    tell_cancelled(*route);
    fail(*route, error);
  }
}

// The client's own heartbeat interval decides: a client that sends none is not expected to, and one that
// sends one a minute may be silent for three. The proxy is no stricter than a server.
TimePoint Dispatcher::silence_limit(const Route& route) const {
  constexpr int kBeatsMissed = 3;
  if (route.gap == core::Clock::duration::zero()) return TimePoint::max();
  return route.beat + kBeatsMissed * std::max<core::Clock::duration>(route.gap, options_.heartbeat);
}

// The latest end of a silent conversation; otherwise a call may last while both connections are alive.
TimePoint Dispatcher::expiry(const Route& route) const {
  const bool silent_by_nature =
      route.conversation.version() < rpc::kFirstActiveVersion && route.gap == core::Clock::duration::zero();
  const TimePoint idle =
      silent_by_nature ? route.opened + options_.channel_age : route.heard + options_.channel_idle;
  return std::min(idle, silence_limit(route));
}

void Dispatcher::rearm(Route& route) {
  const TimePoint end = std::min(route.conversation.deadline(), expiry(route));
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
  if (now() >= route.conversation.deadline()) {
    tell_cancelled(route);
    return fail(route, {core::kDeadlineExceeded,
                        "the deadline passed before " + std::string(route.name()) + "() had answered"});
  }
  if (now() >= expiry(route)) return expire(route);
  route.state == Route::State::kOpen ? rearm(route) : due_pending(route);
}

// A client that has stopped sending heartbeats has given up the call, or will when it misses the worker's.
void Dispatcher::expire(Route& route) {
  ++counters_.expired;
  if (now() >= silence_limit(route)) return abandon(route);
  tell_cancelled(route);
  std::string words = route.state == Route::State::kOrphaned
                          ? route.pending->lost_message
                          : "neither side of " + std::string(route.name()) + "() was heard for too long";
  fail(route, {core::kWorkerLost, std::move(words)});
}

// No worker has the call, so the proxy sends the heartbeats.
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
  const std::string who = &service == &queues_.unknown()
                              ? "no worker has offered " + std::string(route.name()) + " yet"
                              : "no worker for service " + service.name;
  fail(route, {core::kUnavailable, who + kRetryHint});
}

core::Error Dispatcher::overloaded(const Route& route) {
  return {core::kOverloaded, "no worker has room for " + std::string(route.name()) + kRetryHint};
}

void Dispatcher::on_client_event(Route& route, bool beat) {
  if (route.state == Route::State::kOrphaned && route.conversation.has_credit())
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
  lose_later_.later();
}

void Dispatcher::lose(Worker& worker, std::string_view reason) {
  std::erase(to_lose_, &worker);
  worker.load.gone = true;
  Service& service = *worker.service;
  while (Route* const route = worker.channels.first()) lose_call(*route, reason);
  WorkerConnection& connection = *worker.connection;
  registry_.remove(worker);
  shorten_deadlines(service);
  if (service.workers.empty()) expiry_.left(service);
  connection.lost(reason);
}

void Dispatcher::lose_call(Route& route, std::string_view reason) {
  const bool may_retry = route.idempotent && !route.retried && !route.answered;
  may_retry ? retry(route) : orphan(route, reason);
}

// A worker's last replies may be unread; reading them may remove it, or add others to to_lose_.
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
  auto frames = follow_up(route.client, copies_.take(route));
  place(route, frames);
}

// A client treats an event beyond its credit as a flood, and a stock client then discards the items it has.
// So the ERR waits until the client grants more credit, which may take long.
void Dispatcher::orphan(Route& route, std::string_view reason) {
  std::string words = "worker " + route.worker->id + " was lost before " + std::string(route.name()) +
                      "() had ended: " + std::string(reason);
  leave_worker(route);
  if (route.conversation.has_credit()) return fail(route, {core::kWorkerLost, std::move(words)});
  route.service = &queues_.unknown();  // its own may be forgotten before the client grants more
  route.state = Route::State::kOrphaned;
  set_aside(route, TimePoint::max());
  route.pending->lost_message = std::move(words);
  rearm(route);
}

void Dispatcher::answered(Worker& worker, bool unavailable) {
  balance_.answered(worker.load, unavailable, now());
}

void Dispatcher::when_empty(std::function<void()> empty) {
  empty_ = std::move(empty);
  if (routes_.size() == 0 && empty_) std::exchange(empty_, nullptr)();
}

std::size_t Dispatcher::queued() const {
  std::size_t calls = queues_.unknown().queue.size();
  for (const auto& [name, service] : registry_.services()) calls += service->queue.size();
  return calls;
}

rpc::CallInfo Dispatcher::info(const Route& route) const {
  return {route.name(), &route.client, route.id(), {}, route.conversation.version()};
}

}  // namespace zerosuite::proxy
