#include "proxy/back.hpp"

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
struct Back::Entry final : Outlet {
  Entry(Back& its_back, std::string its_address)
      : back(its_back), address(std::move(its_address)), beat(back.reactor_.timers(), [this] { on_beat(); }) {
    heard = back.reactor_.timers().now();
    beat.after(rpc::kPulseEvery);
  }

  net::Sent attempt(std::span<net::Frame> frames) override {
    frames.front().rebuild(address.data(), address.size());
    return back.transport_.outbox().attempt(frames);
  }
  rpc::Delivery forward(std::span<net::Frame> frames) override {
    frames.front().rebuild(address.data(), address.size());
    return back.transport_.outbox().forward(frames);
  }
  rpc::Delivery pulse() override { return back.tell(address, rpc::kPulse); }
  void read_up() override { back.read_up(); }

  void on_beat() {
    // A long message on a slow line is a sign of life before it is whole.
    heard = std::max(heard, traffic.heard(back.reactor_.timers().now()));
    const auto silence = back.reactor_.timers().now() - heard;
    if (silence >= rpc::kPulseLimit) return back.relay_.dispatch().lose(*worker, "it is silent");
    if (pulse() == rpc::Delivery::kGone) return back.relay_.dispatch().doom(*worker);
    beat.at(std::min(back.reactor_.timers().now() + rpc::kPulseEvery, heard + rpc::kPulseLimit));
  }

  void lost(std::string_view reason) override {
    const bool expected = reason == kBye;
    if (!expected) ++back.relay_.dispatch().counters().workers_lost;
    back.log_.write(expected ? Level::kInfo : Level::kWarn, "worker left",
                    {{"worker", id}, {"reason", reason}});
    back.entries_.erase(back.entries_.find(address));
  }

  Back& back;
  std::string address;
  std::string id;
  Worker* worker = nullptr;
  core::TimePoint heard;
  net::Traffic traffic;
  net::Timer beat;
};

Back::Back(net::Context& context, net::Reactor& reactor, Relay& relay, Directory& directory, ops::Log& log,
           const BackOptions& options)
    : reactor_(reactor),
      relay_(relay),
      directory_(directory),
      log_(log),
      limits_(options.limits),
      admission_(relay.dispatch(), directory, options.admission),
      greeting_{core::process_name(), options.front},
      transport_(context, reactor, options.socket) {
  transport_.on_gone([this](std::string_view address) {
    const auto found = entries_.find(address);
    if (found != entries_.end()) relay_.dispatch().lose(*found->second->worker, kConnectionEnded);
  });
}

Back::~Back() = default;

void Back::start() {
  transport_.start([this](std::vector<net::Frame>& frames) { receive(frames); });
}

void Back::receive(std::vector<net::Frame>& frames) {
  const std::string address = frames.front().to_string();
  const bool control = frames.size() == 3 && frames[1].size() == 0;
  if (control) return on_control(address, frames.back());
  const auto found = entries_.find(address);
  if (found == entries_.end()) {
    ++relay_.dispatch().counters().strays;
    return;
  }
  found->second->heard = reactor_.timers().now();
  relay_.on_worker(*found->second->worker, frames);
}

// What a worker sent last stands behind what others did.
void Back::read_up() {
  const core::TimePoint end = core::Clock::now() + kReadUpFor;
  while (transport_.receive() && core::Clock::now() < end) continue;
}

void Back::on_control(const std::string& address, const net::Frame& payload) {
  const wire::Event event = wire::decode(view(payload), limits_);
  if (event.fault != wire::Fault::kNone) {
    ++relay_.dispatch().counters().strays;
    return;
  }
  if (event.name == rpc::kReady) on_ready(address, event.args);
  const auto found = entries_.find(address);
  if (found == entries_.end()) {
    relay_.dispatch().counters().strays += event.name == rpc::kReady ? 0 : 1;
    if (event.name == rpc::kPulse) tell(address, rpc::kStranger);
    return;
  }
  Entry& entry = *found->second;
  entry.heard = reactor_.timers().now();
  if (event.name == rpc::kReady) {
    entry.traffic = net::Traffic(payload);
  } else if (event.name == rpc::kDrain) {
    entry.worker->load.draining = true;
    relay_.dispatch().hurry(*entry.worker->service);
    tell(address, rpc::kDrained);
    log_.write(Level::kInfo, "worker draining",
               {{"worker", entry.id}, {"calls", entry.worker->load.outstanding}});
  } else if (event.name == rpc::kBye) {
    relay_.dispatch().lose(*entry.worker, kBye);
  }
}

void Back::on_ready(const std::string& address, std::string_view args) {
  try {
    const rpc::Introduction introduction = rpc::read_introduction(args);
    if (const auto again = entries_.find(address); again != entries_.end())
      relay_.dispatch().lose(*again->second->worker, "it registered anew");
    if (const auto why = admission_.refusal(introduction)) return refuse(address, *why);
    admit(address, introduction);
  } catch (const core::Failure& failure) {
    refuse(address, failure.error());
  }
}

void Back::refuse(const std::string& address, const core::Error& why) {
  ++relay_.dispatch().counters().refused;
  wire::Envelope peer;
  if (peer.push(address) && refusals_.first(peer, why.message, reactor_.timers().now()))
    log_.write(Level::kWarn, "registration refused", {{"error", why.name}, {"reason", why.message}});
  tell(address, rpc::kRefused, {{why.name}, {why.message}});
}

void Back::admit(const std::string& address, const rpc::Introduction& introduction) {
  auto entry = std::make_unique<Entry>(*this, address);
  auto worker = std::make_unique<Worker>();
  worker->id = entry->id = introduction.id;
  worker->version = introduction.version;
  worker->origin = "registered";
  worker->outlet = entry.get();
  worker->load.weight = introduction.weight;
  worker->load.max_inflight = introduction.max_inflight;
  entry->worker = &directory_.add(std::move(worker), introduction);
  Entry& admitted = *entries_.emplace(address, std::move(entry)).first->second;
  tell(address, rpc::kAccepted, {rpc::to_value(greeting_)});
  log_.write(Level::kInfo, "worker registered",
             {{"worker", admitted.id},
              {"service", introduction.service},
              {"version", introduction.version},
              {"data", introduction.state.where},
              {"methods", introduction.methods.size()}});
  relay_.dispatch().welcome(*admitted.worker);
}

rpc::Delivery Back::tell(const std::string& address, std::string_view event, const wire::List& args) {
  std::array<net::Frame, 3> frames{net::Frame(address.data(), address.size()), net::Frame(),
                                   rpc::control_event(ids_, event, args)};
  return transport_.outbox().forward(frames);
}

}  // namespace zerosuite::proxy
