#include "proxy/dispatch.hpp"

#include <iterator>
#include <utility>

#include "core/random.hpp"
#include "proxy/frames.hpp"
#include "rpc/transport/frames.hpp"
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

Dispatch::Dispatch(net::Timers& timers, Front& front, Directory& directory, const DispatchOptions& options)
    : timers_(timers),
      directory_(directory),
      options_(options),
      balance_(options.balance, core::random_bits()),
      responder_(front, options.limits.max_frame_bytes),
      doom_(timers, [this] { lose_doomed(); }),
      room_(timers, [this] { serve_all(); }),
      forget_(timers, [this] { forget_those_due(); }) {}

void Dispatch::aim(Channel& channel, const Directory::Target& target, net::Frame& payload) {
  channel.service = target.service;
  channel.method_size = target.method->name.size();
  if (target.service->sticky)
    channel.key = first_argument(wire::peek(view(payload), options_.limits), options_.limits);
  if (target.method->idempotent) keep(channel, payload);
}

// As long as there is room for it, and for others beside its client.
void Dispatch::keep(Channel& channel, net::Frame& payload) {
  const std::size_t bytes = payload.size();
  std::size_t& of_client = channel.connection->kept_bytes;
  channel.idempotent = kept_bytes_ + bytes <= options_.retry_bytes &&
                       of_client + bytes <= options_.retry_bytes / kLeastSharers;
  if (!channel.idempotent) return;
  channel.kept = kept_copy(payload);
  kept_bytes_ += bytes;
  of_client += bytes;
}

void Dispatch::let_go(Channel& channel) {
  kept_bytes_ -= channel.kept.size();
  channel.connection->kept_bytes -= channel.kept.size();
  channel.kept.rebuild();
}

void Dispatch::place(Channel& channel, std::vector<net::Frame>& frames) {
  // Nothing overtakes a queue, except past calls that wait for a worker of their own.
  const bool may_try = channel.service->queue.empty() || channel.service->sticky;
  if (may_try && give(channel, frames)) return;
  wait(channel, frames);
}

void Dispatch::place_unknown(Channel& channel, std::vector<net::Frame>& frames) {
  channel.service = &unknown_;
  wait(channel, frames);
}

bool Dispatch::give(Channel& channel, std::vector<net::Frame>& frames) {
  while (Worker* const worker = choose(channel)) {
    switch (attempt(*worker, channel, frames)) {
      case net::Sent::kYes:
        assign(channel, *worker);
        return true;
      case net::Sent::kFull:
        worker->load.full_until = now() + kRoomAfter;
        if (!room_.armed()) room_.after(kRoomAfter);
        break;
      case net::Sent::kGone:
        doom(*worker);
        break;
    }
  }
  return false;
}

Worker* Dispatch::choose(const Channel& channel) {
  const Service& service = *channel.service;
  const auto& workers = service.workers;
  const std::string_view method = channel.method();
  const auto can = [&](const Worker& worker) {
    return worker.load.alive() && (service.uniform || worker.methods.contains(method));
  };
  if (service.sticky && !channel.key.empty()) {
    const auto id_of = [&](std::size_t i) {
      return can(*workers[i]) ? std::string_view(workers[i]->id) : std::string_view();
    };
    const auto owner = Balance::owner(workers.size(), id_of, channel.key);
    return owner && workers[*owner]->load.has_room(now()) ? workers[*owner] : nullptr;
  }
  const auto load_of = [&](std::size_t i) { return can(*workers[i]) ? &workers[i]->load : nullptr; };
  const auto picked = balance_.pick(workers.size(), load_of, now());
  return picked ? workers[*picked] : nullptr;
}

net::Sent Dispatch::attempt(Worker& worker, const Channel& channel, std::vector<net::Frame>& frames) {
  const std::string_view method = channel.method();
  if (!worker.bare_names || method.size() == channel.name().size()) return worker.outlet->attempt(frames);
  // A stock server knows its methods without the service in front; no other payload is ever made anew.
  net::Frame original = std::exchange(frames.back(), renamed(frames.back(), method, options_.limits));
  const net::Sent sent = worker.outlet->attempt(frames);
  if (sent != net::Sent::kYes) frames.back() = std::move(original);
  return sent;
}

void Dispatch::assign(Channel& channel, Worker& worker) {
  channel.worker = &worker;
  channel.state = Channel::State::kOpen;
  channel.heard = now();
  worker.channels.append(channel);
  worker.load.used = now();
  ++worker.load.outstanding;
  ++worker.calls;
  rearm(channel);
}

void Dispatch::wait(Channel& channel, std::vector<net::Frame>& frames) {
  Service& service = *channel.service;
  const std::size_t bytes = rpc::size_of(frames);
  if (!make_room(service, *channel.connection, bytes)) return fail(channel, overloaded(channel));
  channel.state = Channel::State::kWaiting;
  set_aside(channel, now() + (service.has_live_worker() ? options_.queue_for : options_.no_worker_for));
  channel.aside->request.assign(std::make_move_iterator(frames.begin()),
                                std::make_move_iterator(frames.end()));
  channel.aside->bytes = bytes;
  service.queue.append(channel);
  service.queued_bytes += bytes;
  ++channel.connection->waiting;
  channel.connection->waiting_bytes += bytes;
  if (!room_.armed()) room_.after(kRoomAfter);
  rearm(channel);
}

// A client may fill a queue that nobody else needs. When it is full, those who have less than their share in
// it take the places that came last of those who have more.
bool Dispatch::make_room(Service& service, const Client& client, std::size_t bytes) {
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
    Channel* last = service.queue.last();
    while (last != nullptr && !greedy(*last->connection, 0, 0)) last = service.queue.before(*last);
    if (last == nullptr) return false;
    fail(*last, overloaded(*last));
  }
  return true;
}

void Dispatch::set_aside(Channel& channel, TimePoint until) {
  const auto heartbeat = rpc::Heartbeat::stand_in(options_.heartbeat, channel.version, now());
  channel.aside = std::make_unique<Aside>(heartbeat, until);
}

void Dispatch::leave_queue(Channel& channel) {
  channel.service->queue.remove(channel);
  channel.service->queued_bytes -= channel.aside->bytes;
  --channel.connection->waiting;
  channel.connection->waiting_bytes -= channel.aside->bytes;
  channel.aside.reset();
}

void Dispatch::serve(Service& service) {
  for (Channel* channel = service.queue.first(); channel != nullptr;) {
    Channel* const next = service.queue.after(*channel);
    if (give(*channel, channel->aside->request)) {
      leave_queue(*channel);
    } else if (service.uniform && !service.sticky) {
      return;  // what the first cannot have nobody behind it can
    }
    channel = next;
  }
}

void Dispatch::serve_all() {
  bool waiting = false;
  for (const auto& [name, service] : directory_.services()) {
    serve(*service);
    waiting = waiting || (!service->queue.empty() && service->may_have_room());
  }
  if (waiting) room_.after(kRoomAfter);
}

void Dispatch::welcome(Worker& worker) {
  if (worker.load.since == TimePoint()) worker.load.since = now();
  while (Channel* const channel = first_known()) {
    std::vector<net::Frame> frames = std::move(channel->aside->request);
    leave_queue(*channel);
    channel->state = Channel::State::kNew;
    aim(*channel, directory_.look_up(channel->name()), frames.back());
    place(*channel, frames);
  }
  serve(*worker.service);
}

// Of the calls whose name was unknown: from the front each time, since placing one may end others.
Channel* Dispatch::first_known() const {
  for (Channel* channel = unknown_.queue.first(); channel != nullptr;
       channel = unknown_.queue.after(*channel)) {
    if (directory_.look_up(channel->name()).service != nullptr) return channel;
  }
  return nullptr;
}

void Dispatch::finish(Channel& channel) {
  Service& service = *channel.service;
  const bool freed = channel.worker != nullptr;
  if (freed) {
    leave_worker(channel);
  } else if (channel.state == Channel::State::kWaiting) {
    leave_queue(channel);
  }
  let_go(channel);
  channels_.close(channel);
  if (freed && !many_end_ && !service.queue.empty()) serve(service);
  if (channels_.size() == 0 && empty_) std::exchange(empty_, nullptr)();
}

void Dispatch::fail(Channel& channel, const core::Error& error) {
  counters_.count_error(error.name);
  const std::string connection(channel.client.outermost());
  const rpc::Delivery delivery = responder_.error(info(channel), error);
  delivery == rpc::Delivery::kGone ? lose_client(connection) : finish(channel);
}

void Dispatch::refuse_answer(Channel& channel, const core::Error& error) {
  tell_cancelled(channel);
  fail(channel, error);
}

void Dispatch::abandon(Channel& channel) {
  ++counters_.abandoned;
  tell_cancelled(channel);
  finish(channel);
}

void Dispatch::tell_cancelled(const Channel& channel) {
  if (channel.worker == nullptr) return;
  auto frames = follow_up(channel.client, cancel_event(ids_, channel.id()));
  if (channel.worker->outlet->forward(frames) == rpc::Delivery::kGone) doom(*channel.worker);
}

void Dispatch::lose_client(std::string_view identity) {
  const std::string gone(identity);  // the caller's may belong to a channel
  if (channels_.client(gone) == nullptr) return;
  ++counters_.clients_lost;
  end_many([&] {
    while (Client* const client = channels_.client(gone)) abandon(*client->channels.first());
  });
}

void Dispatch::fail_all(const core::Error& error) {
  end_many([&] {
    while (Channel* const channel = channels_.any()) {
      tell_cancelled(*channel);
      fail(*channel, error);
    }
  });
}

// What one of them leaves free must not go to the next of them.
template <class F>
void Dispatch::end_many(F end_all) {
  const bool outermost = !std::exchange(many_end_, true);
  end_all();
  if (!outermost) return;
  many_end_ = false;
  serve_all();
}

void Dispatch::when_empty(std::function<void()> empty) {
  empty_ = std::move(empty);
  if (channels_.size() == 0 && empty_) std::exchange(empty_, nullptr)();
}

std::size_t Dispatch::queued() const {
  std::size_t calls = unknown_.queue.size();
  for (const auto& [name, service] : directory_.services()) calls += service->queue.size();
  return calls;
}

rpc::CallInfo Dispatch::info(const Channel& channel) const {
  return {channel.name(), &channel.client, channel.id(), {}, channel.version};
}

}  // namespace zerosuite::proxy
