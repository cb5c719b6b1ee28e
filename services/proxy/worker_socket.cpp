#include "proxy/worker_socket.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/host.hpp"
#include "proxy/frames.hpp"
#include "rpc/worker/registration.hpp"

namespace zerosuite::proxy {
namespace {

using ops::Level;

constexpr core::milliseconds kReadUpFor{50};
constexpr std::string_view kBye = "it said good-bye";

}  // namespace

/// One registered worker's connection.
struct WorkerSocket::Entry final : WorkerConnection {
  Entry(WorkerSocket& its_back, std::string its_address)
      : back(its_back), address(std::move(its_address)), beat(back.reactor_.timers(), [this] { on_beat(); }) {
    heard = back.reactor_.timers().now();
    beat.after(rpc::kPulseEvery);
  }

  net::Sent attempt(std::span<net::Frame> frames) override {
    frames.front().rebuild(address.data(), address.size());
    return back.transport_.send_queue().attempt(frames);
  }
  rpc::Delivery forward(std::span<net::Frame> frames) override {
    frames.front().rebuild(address.data(), address.size());
    return back.transport_.send_queue().forward(frames);
  }
  rpc::Delivery send_heartbeat() override { return back.tell(address, rpc::kWorkerHeartbeat); }
  void read_up() override { back.read_up(); }

  void on_beat() {
    // A long message on a slow link is a sign of life even before it is complete.
    heard = std::max(heard, traffic.heard(back.reactor_.timers().now()));
    const auto silence = back.reactor_.timers().now() - heard;
    if (silence >= rpc::kPulseLimit) return back.router_.dispatcher().lose(*worker, "it is silent");
    if (send_heartbeat() == rpc::Delivery::kGone) return back.router_.dispatcher().lose_later(*worker);
    beat.at(std::min(back.reactor_.timers().now() + rpc::kPulseEvery, heard + rpc::kPulseLimit));
  }

  void lost(std::string_view reason) override {
    const bool expected = reason == kBye;
    if (!expected) ++back.router_.dispatcher().counters().workers_lost;
    back.log_.write(expected ? Level::kInfo : Level::kWarn, "worker left",
                    {{"worker", id}, {"reason", reason}});
    back.entries_.erase(back.entries_.find(address));
  }

  WorkerSocket& back;
  std::string address;
  std::string id;
  Worker* worker = nullptr;
  core::TimePoint heard;
  net::Traffic traffic;
  net::Timer beat;
};

WorkerSocket::WorkerSocket(net::Context& context, net::Reactor& reactor, Router& router,
                           ServiceRegistry& registry, ops::Log& log, const WorkerSocketOptions& options)
    : reactor_(reactor),
      router_(router),
      registry_(registry),
      log_(log),
      limits_(options.limits),
      admission_(router.dispatcher(), registry, options.admission),
      greeting_{core::process_name(), options.front},
      transport_(context, reactor, options.socket) {
  transport_.on_gone([this](std::string_view address) {
    const auto found = entries_.find(address);
    if (found != entries_.end()) router_.dispatcher().lose(*found->second->worker, kConnectionEnded);
  });
}

WorkerSocket::~WorkerSocket() = default;

void WorkerSocket::start() {
  transport_.start([this](std::vector<net::Frame>& frames) { receive(frames); });
}

void WorkerSocket::receive(std::vector<net::Frame>& frames) {
  const std::string address = frames.front().to_string();
  const bool control = frames.size() == 3 && frames[1].size() == 0;
  if (control) return on_control(address, frames.back());
  const auto found = entries_.find(address);
  if (found == entries_.end()) {
    ++router_.dispatcher().counters().strays;
    return;
  }
  found->second->heard = reactor_.timers().now();
  router_.on_worker(*found->second->worker, frames);
}

// A worker's last messages are queued behind those of others, so this reads all.
void WorkerSocket::read_up() {
  const core::TimePoint end = core::Clock::now() + kReadUpFor;
  while (transport_.receive() && core::Clock::now() < end) continue;
}

void WorkerSocket::on_control(const std::string& address, const net::Frame& payload) {
  const wire::Event event = wire::decode(view(payload), limits_);
  if (event.fault != wire::Fault::kNone) {
    ++router_.dispatcher().counters().strays;
    return;
  }
  if (event.name == rpc::kReady) on_ready(address, event.args);
  const auto found = entries_.find(address);
  if (found == entries_.end()) {
    router_.dispatcher().counters().strays += event.name == rpc::kReady ? 0 : 1;
    if (event.name == rpc::kWorkerHeartbeat) tell(address, rpc::kUnknownWorker);
    return;
  }
  Entry& entry = *found->second;
  entry.heard = reactor_.timers().now();
  if (event.name == rpc::kReady) {
    entry.traffic = net::Traffic(payload);
  } else if (event.name == rpc::kDrain) {
    entry.worker->load.draining = true;
    router_.dispatcher().shorten_deadlines(*entry.worker->service);
    tell(address, rpc::kDrained);
    log_.write(Level::kInfo, "worker draining",
               {{"worker", entry.id}, {"calls", entry.worker->load.outstanding}});
  } else if (event.name == rpc::kBye) {
    router_.dispatcher().lose(*entry.worker, kBye);
  }
}

void WorkerSocket::on_ready(const std::string& address, std::string_view args) {
  try {
    const rpc::Registration registration = rpc::read_introduction(args);
    if (const auto again = entries_.find(address); again != entries_.end())
      router_.dispatcher().lose(*again->second->worker, "it registered anew");
    if (const auto why = admission_.refusal(registration)) return refuse(address, *why);
    admit(address, registration);
  } catch (const core::Failure& failure) {
    refuse(address, failure.error());
  }
}

void WorkerSocket::refuse(const std::string& address, const core::Error& why) {
  ++router_.dispatcher().counters().refused;
  wire::Envelope peer;
  if (peer.push(address) && refusals_.first(peer, why.message, reactor_.timers().now()))
    log_.write(Level::kWarn, "registration refused", {{"error", why.name}, {"reason", why.message}});
  tell(address, rpc::kRefused, {{why.name}, {why.message}});
}

void WorkerSocket::admit(const std::string& address, const rpc::Registration& registration) {
  auto entry = std::make_unique<Entry>(*this, address);
  auto worker = std::make_unique<Worker>();
  worker->id = entry->id = registration.id;
  worker->version = registration.version;
  worker->origin = "registered";
  worker->connection = entry.get();
  worker->load.weight = registration.weight;
  worker->load.max_inflight = registration.max_inflight;
  entry->worker = &registry_.add(std::move(worker), registration);
  Entry& admitted = *entries_.emplace(address, std::move(entry)).first->second;
  tell(address, rpc::kAccepted, {rpc::to_value(greeting_)});
  log_.write(Level::kInfo, "worker registered",
             {{"worker", admitted.id},
              {"service", registration.service},
              {"version", registration.version},
              {"data", registration.state.where},
              {"methods", registration.methods.size()}});
  router_.dispatcher().worker_added(*admitted.worker);
}

rpc::Delivery WorkerSocket::tell(const std::string& address, std::string_view event, const wire::List& args) {
  std::array<net::Frame, 3> frames{net::Frame(address.data(), address.size()), net::Frame(),
                                   rpc::control_event(ids_, event, args)};
  return transport_.send_queue().forward(frames);
}

}  // namespace zerosuite::proxy
