#include "proxy/dispatcher.hpp"

#include <iterator>
#include <utility>

#include "core/random.hpp"
#include "proxy/frames.hpp"
#include "rpc/transport/receive_loop.hpp"
#include "wire/event.hpp"

namespace zerosuite::proxy {
namespace {

using namespace std::chrono_literals;
using core::TimePoint;

constexpr auto kRoomAfter = 2ms;  // a ROUTER cannot be polled for room in one worker's pipe
constexpr std::size_t kMostErrorNames = 256;
constexpr std::size_t kLeastSharers = 4;  // of what is shared, one client has a quarter when others want it

}  // namespace

void Counters::count_error(std::string_view name) {
  auto found = errors.find(name);
  if (found == errors.end()) {
    const bool room = errors.size() < kMostErrorNames;  // names come from workers
    found = errors.try_emplace(room ? std::string(name) : "other").first;
  }
  ++found->second;
}

Dispatcher::Dispatcher(net::Timers& timers, ClientSink& front, ServiceRegistry& registry,
                       const DispatcherOptions& options)
    : timers_(timers),
      registry_(registry),
      options_(options),
      balance_(options.balance, core::random_bits()),
      writer_(front, options.limits.max_frame_bytes),
      lose_later_(timers, [this] { lose_those_due(); }),
      room_(timers, [this] { serve_all(); }),
      forget_(timers, [this] { forget_those_due(); }) {}

void Dispatcher::resolve(Route& route, const ServiceRegistry::Target& target, net::Frame& payload) {
  route.service = target.service;
  route.method_size = target.method->name.size();
  if (target.service->sticky)
    route.key = first_argument(wire::peek(view(payload), options_.limits), options_.limits);
  if (target.method->idempotent) keep(route, payload);
}

// As long as there is room for it, and for others beside its client.
void Dispatcher::keep(Route& route, net::Frame& payload) {
  const std::size_t bytes = payload.size();
  std::size_t& of_client = route.connection->kept_bytes;
  route.idempotent = kept_bytes_ + bytes <= options_.retry_bytes &&
                     of_client + bytes <= options_.retry_bytes / kLeastSharers;
  if (!route.idempotent) return;
  route.kept = kept_copy(payload);
  kept_bytes_ += bytes;
  of_client += bytes;
}

void Dispatcher::drop_retry_copy(Route& route) {
  kept_bytes_ -= route.kept.size();
  route.connection->kept_bytes -= route.kept.size();
  route.kept.rebuild();
}

void Dispatcher::place(Route& route, std::vector<net::Frame>& frames) {
  // Nothing overtakes a queue, except past calls that wait for a worker of their own.
  const bool may_try = route.service->queue.empty() || route.service->sticky;
  if (may_try && give(route, frames)) return;
  wait(route, frames);
}

void Dispatcher::place_unknown(Route& route, std::vector<net::Frame>& frames) {
  route.service = &unknown_;
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
  // A stock server knows its methods without the service in front; no other payload is ever made anew.
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
  const std::size_t bytes = rpc::size_of(frames);
  if (!make_room(service, *route.connection, bytes)) return fail(route, overloaded(route));
  route.state = Route::State::kWaiting;
  set_aside(route, now() + (service.has_live_worker() ? options_.queue_for : options_.no_worker_for));
  route.pending->request.assign(std::make_move_iterator(frames.begin()),
                                std::make_move_iterator(frames.end()));
  route.pending->bytes = bytes;
  service.queue.append(route);
  service.queued_bytes += bytes;
  ++route.connection->waiting;
  route.connection->waiting_bytes += bytes;
  if (!room_.armed()) room_.after(kRoomAfter);
  rearm(route);
}

// A client may fill a queue that nobody else needs. When it is full, those who have less than their share in
// it take the places that came last of those who have more.
bool Dispatcher::make_room(Service& service, const Client& client, std::size_t bytes) {
  const auto has_room = [&] {
    return service.queue.size() < options_.queue_calls &&
           service.queued_bytes + bytes <= options_.queue_bytes;
  };
  const auto greedy = [&](const Client& one, std::size_t calls, std::size_t more) {
    return kLeastSharers * (one.waiting + calls) > options_.queue_calls ||
           kLeastSharers * (one.waiting_bytes + more) > options_.queue_bytes;
  };
  while (!has_room()) {
    if (greedy(client, 1, bytes)) return false;
    Route* last = service.queue.last();
    while (last != nullptr && !greedy(*last->connection, 0, 0)) last = service.queue.before(*last);
    if (last == nullptr) return false;
    fail(*last, overloaded(*last));
  }
  return true;
}

void Dispatcher::set_aside(Route& route, TimePoint until) {
  const auto heartbeat = rpc::Heartbeat::stand_in(options_.heartbeat, route.version, now());
  route.pending = std::make_unique<PendingState>(heartbeat, until);
}

void Dispatcher::leave_queue(Route& route) {
  route.service->queue.remove(route);
  route.service->queued_bytes -= route.pending->bytes;
  --route.connection->waiting;
  route.connection->waiting_bytes -= route.pending->bytes;
  route.pending.reset();
}

void Dispatcher::serve(Service& service) {
  for (Route* route = service.queue.first(); route != nullptr;) {
    Route* const next = service.queue.after(*route);
    if (give(*route, route->pending->request)) {
      leave_queue(*route);
    } else if (service.uniform && !service.sticky) {
      return;  // what the first cannot have nobody behind it can
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
  while (Route* const route = first_known()) {
    std::vector<net::Frame> frames = std::move(route->pending->request);
    leave_queue(*route);
    route->state = Route::State::kNew;
    resolve(*route, registry_.look_up(route->name()), frames.back());
    place(*route, frames);
  }
  serve(*worker.service);
}

// Of the calls whose name was unknown: from the front each time, since placing one may end others.
Route* Dispatcher::first_known() const {
  for (Route* route = unknown_.queue.first(); route != nullptr; route = unknown_.queue.after(*route)) {
    if (registry_.look_up(route->name()).service != nullptr) return route;
  }
  return nullptr;
}

void Dispatcher::finish(Route& route) {
  Service& service = *route.service;
  const bool freed = route.worker != nullptr;
  if (freed) {
    leave_worker(route);
  } else if (route.state == Route::State::kWaiting) {
    leave_queue(route);
  }
  drop_retry_copy(route);
  routes_.close(route);
  if (freed && !many_end_ && !service.queue.empty()) serve(service);
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
  const std::string gone(identity);  // the caller's may belong to a channel
  if (routes_.client(gone) == nullptr) return;
  ++counters_.clients_lost;
  end_many([&] {
    while (Client* const client = routes_.client(gone)) abandon(*client->channels.first());
  });
}

void Dispatcher::fail_all(const core::Error& error) {
  end_many([&] {
    while (Route* const route = routes_.any()) {
      tell_cancelled(*route);
      fail(*route, error);
    }
  });
}

// What one of them leaves free must not go to the next of them.
template <class F>
void Dispatcher::end_many(F end_all) {
  const bool outermost = !std::exchange(many_end_, true);
  end_all();
  if (!outermost) return;
  many_end_ = false;
  serve_all();
}

void Dispatcher::when_empty(std::function<void()> empty) {
  empty_ = std::move(empty);
  if (routes_.size() == 0 && empty_) std::exchange(empty_, nullptr)();
}

std::size_t Dispatcher::queued() const {
  std::size_t calls = unknown_.queue.size();
  for (const auto& [name, service] : registry_.services()) calls += service->queue.size();
  return calls;
}

rpc::CallInfo Dispatcher::info(const Route& route) const {
  return {route.name(), &route.client, route.id(), {}, route.version};
}

}  // namespace zerosuite::proxy
