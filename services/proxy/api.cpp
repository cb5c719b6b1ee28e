#include "proxy/api.hpp"

#include <algorithm>
#include <utility>

#include "core/text.hpp"
#include "ops/config/text.hpp"
#include "proxy/frames.hpp"
#include "wire/id.hpp"

namespace zerosuite::proxy {
namespace {

using core::Failure, core::hex;
using wire::Dict, wire::List, wire::Value;

constexpr std::size_t kMostListed = 1000;

core::milliseconds milliseconds_since(core::TimePoint then, core::TimePoint now) {
  return std::chrono::duration_cast<core::milliseconds>(now - then);
}

std::string_view state_of(const Load& load, core::TimePoint now) {
  if (load.gone) return "gone";
  if (load.draining || load.paused) return "draining";
  if (load.ejected(now)) return "ejected";
  return load.has_room(now) ? "ready" : "full";
}

Value describe(const Worker& worker, core::TimePoint now) {
  return Dict{{"id", worker.id},
              {"service", worker.service->name},
              {"version", worker.version},
              {"origin", worker.origin},
              {"state", state_of(worker.load, now)},
              {"outstanding", worker.load.outstanding},
              {"max_inflight", worker.load.max_inflight},
              {"weight", worker.load.weight},
              {"connections", worker.connections},
              {"calls", worker.calls},
              {"errors", worker.errors},
              {"age_ms", milliseconds_since(worker.load.since, now)},
              {"state_id", worker.state.id.empty() ? Value() : worker.state.id},
              {"data", worker.state.where.empty() ? Value() : worker.state.where},
              {"shared", worker.state.shared}};
}

std::string_view state_of(const Route& route) {
  switch (route.state) {
    case Route::State::kNew:
    case Route::State::kWaiting:
      return "waiting";
    case Route::State::kOpen:
      return route.answered ? "streaming" : "open";
    case Route::State::kOrphaned:
      break;
  }
  return "orphaned";
}

Value describe(const Route& route, core::TimePoint now) {
  const std::string_view id = wire::id_text(route.id());
  const std::string_view name = route.name();  // of a waiting call, any bytes the client sent
  return Dict{{"method", core::is_utf8(name) ? std::string(name) : hex(name)},
              {"client", ops::pseudonym(route.client.outermost())},
              {"channel", id.empty() ? hex(route.id()) : hex(id)},
              {"worker", route.worker ? route.worker->id : Value()},
              {"state", state_of(route)},
              {"age_ms", milliseconds_since(route.opened, now)}};
}

// Only while no worker serves it: a worker would bind it again at once.
Value forget(ServiceRegistry& registry, const std::string& service) {
  const auto found = registry.services().find(service);
  if (found != registry.services().end() && !found->second->workers.empty())
    throw Failure(core::kInvalidArgument,
                  service + " has workers: " + std::to_string(found->second->workers.size()));
  const auto state = registry.unbind(service);
  if (found != registry.services().end() && found->second->queue.empty()) registry.forget(*found->second);
  return state ? state->id : Value();
}

Worker& known(const ServiceRegistry& registry, const std::string& id) {
  Worker* const worker = registry.worker(id);
  if (worker == nullptr) throw Failure(core::kInvalidArgument, "there is no worker " + id);
  return *worker;
}

bool is_ready(const Service& service, core::TimePoint now) {
  return std::any_of(service.workers.begin(), service.workers.end(),
                     [now](const Worker* worker) { return worker->load.has_room(now); });
}

template <class Count, std::size_t N>
void add_named(Dict& dict, const std::array<std::uint64_t, N>& counters) {
  for (std::size_t i = 0; i < N; ++i) {
    if (counters[i] > 0) dict.add(describe(static_cast<Count>(i)), counters[i]);
  }
}

Value stats(const rpc::Server& server, const Router& router, const ServiceRegistry& registry) {
  const Dispatcher& dispatch = router.dispatcher();
  const Counters& counters = dispatch.counters();
  const rpc::ServerStats own = server.stats();
  Dict errors;
  for (const auto& [name, count] : counters.errors) errors.add(name, count);
  Dict drops{{"duplicate calls", counters.duplicates},
             {"workers' events without a channel", counters.strays},
             {"refused registrations", counters.refused}};
  add_named<wire::Fault>(drops, own.faults);
  add_named<rpc::Drop>(drops, own.drops);
  std::size_t outstanding = 0;
  for (const auto& [id, worker] : registry.workers()) outstanding += worker->load.outstanding;
  return Dict{{"calls", counters.calls},
              {"own_calls", own.calls},
              {"errors", std::move(errors)},
              {"outstanding", outstanding},
              {"queued", dispatch.queued()},
              {"channels", dispatch.routes().size()},
              {"workers", registry.workers().size()},
              {"workers_lost", counters.workers_lost},
              {"clients_lost", counters.clients_lost},
              {"abandoned", counters.abandoned},
              {"retries", counters.retries},
              {"expired", counters.expired},
              {"drops", std::move(drops)}};
}

List list_channels(const RouteTable& channels, const std::string& prefix, core::TimePoint now) {
  List list;
  channels.for_each([&](const Route& route) {
    if (list.size() < kMostListed && route.name().starts_with(prefix)) list.push_back(describe(route, now));
  });
  return list;
}

bool ready(const Router& router, const ServiceRegistry& registry, const std::optional<std::string>& service,
           core::TimePoint now) {
  if (router.draining()) return false;
  const auto& services = registry.services();
  if (service) {
    const auto found = services.find(*service);
    return found != services.end() && is_ready(*found->second, now);
  }
  return !services.empty() && std::all_of(services.begin(), services.end(),
                                          [now](const auto& entry) { return is_ready(*entry.second, now); });
}

}  // namespace

void bind(rpc::Server& server, Router& router, ServiceRegistry& registry, const net::Timers& timers) {
  server.method("ping", "Returns \"pong\" while the proxy is alive.", [] { return std::string("pong"); });
  server.method("ready", {"service"},
                "Whether calls of the service can be handled now; without it, calls of every known service.",
                [&](const std::optional<std::string>& service) {
                  return ready(router, registry, service, timers.now());
                });
  server.method("workers", "Every worker: its service, state, load and counters.", [&] {
    List list;
    for (const auto& [id, worker] : registry.workers()) list.push_back(describe(*worker, timers.now()));
    return list;
  });
  server.method("channels", {{"prefix", ""}},
                "The open calls whose method starts with prefix, at most a thousand.",
                [&](const std::string& prefix) {
                  return list_channels(router.dispatcher().routes(), prefix, timers.now());
                });
  server.method("stats", "Counters since the start.", [&] { return stats(server, router, registry); });
  server.method("drain", {"worker"}, "Gives the worker no new calls. Returns how many it still has.",
                [&](const std::string& id) {
                  Worker& worker = known(registry, id);
                  worker.load.paused = true;
                  router.dispatcher().shorten_deadlines(*worker.service);
                  return worker.load.outstanding;
                });
  server.method(
      "forget", {"service"},
      "Forgets a service without workers, and the state it was bound to, so that another state may serve it. "
      "Returns that state's id, or nil.",
      [&](const std::string& service) { return forget(registry, service); });
  server.method("resume", {"worker"}, "Gives the worker calls again, after drain.",
                [&](const std::string& id) {
                  Worker& worker = known(registry, id);
                  if (std::exchange(worker.load.paused, false)) router.dispatcher().worker_added(worker);
                });
}

}  // namespace zerosuite::proxy
