#include "proxy/service_registry.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace zerosuite::proxy {
namespace {

using wire::Dict, wire::Value;

constexpr std::string_view kOwnPrefix = "proxy.";

std::string qualified(const std::string& service, const std::string& method) {
  return service + "." + method;
}

}  // namespace

bool Service::has_live_worker() const {
  return std::any_of(workers.begin(), workers.end(),
                     [](const Worker* worker) { return worker->load.alive(); });
}

bool Service::may_have_room() const {
  return std::any_of(workers.begin(), workers.end(), [](const Worker* worker) {
    return worker->load.alive() && worker->load.outstanding < worker->load.max_inflight;
  });
}

const ServiceRegistry::Target& ServiceRegistry::look_up(std::string_view name) const {
  static const Target no_method{Finding::kNoMethod};
  static const Target no_service{Finding::kNoService};
  static const Target awaited{Finding::kAwaited};
  const auto found = names_.find(name);
  if (found != names_.end()) return found->second;
  const std::size_t dot = name.find('.');
  const auto service = dot == name.npos ? services_.end() : services_.find(name.substr(0, dot));
  if (service != services_.end()) return service->second->awaited ? awaited : no_method;
  if (awaiting_) return awaited;
  return dot == name.npos ? no_method : no_service;
}

Service& ServiceRegistry::service_of(const std::string& name) {
  auto& service = services_[name];
  if (!service) {
    service = std::make_unique<Service>();
    service->name = name;
  }
  return *service;
}

void ServiceRegistry::expect(const std::string& name, const std::vector<rpc::OfferedMethod>& methods) {
  Service& service = service_of(name);
  service.configured = true;
  if (!service.workers.empty()) return;
  service.awaited = methods.empty() && service.methods.empty();
  for (const rpc::OfferedMethod& method : methods) service.methods.insert_or_assign(method.name, method);
  index();
}

Worker& ServiceRegistry::add(std::unique_ptr<Worker> worker, const rpc::Registration& registration) {
  Service& service = service_of(registration.service);
  service.awaited = false;
  worker->service = &service;
  worker->sticky = registration.sticky;
  worker->key = registration.key;
  worker->state = registration.state;
  if (!worker->state.id.empty()) bound_.try_emplace(registration.service, worker->state);
  for (const rpc::OfferedMethod& method : registration.methods) {
    worker->methods.emplace(method.name, method.idempotent);
    service.methods.insert_or_assign(method.name, method);
  }
  Worker& added = *worker;
  service.workers.push_back(&added);
  workers_.emplace(added.id, std::move(worker));
  rebuild(service);
  return added;
}

void ServiceRegistry::remove(Worker& worker) {
  Service& service = *worker.service;
  std::erase(service.workers, &worker);
  rebuild(service);
  workers_.erase(workers_.find(worker.id));
}

void ServiceRegistry::forget(Service& service) {
  services_.erase(services_.find(service.name));
  index();
}

const rpc::State* ServiceRegistry::bound(std::string_view service) const {
  const auto found = bound_.find(service);
  return found == bound_.end() ? nullptr : &found->second;
}

std::optional<rpc::State> ServiceRegistry::unbind(std::string_view service) {
  const auto found = bound_.find(service);
  if (found == bound_.end()) return std::nullopt;
  rpc::State state = std::move(found->second);
  bound_.erase(found);
  return state;
}

Worker* ServiceRegistry::worker(std::string_view id) const {
  const auto found = workers_.find(id);
  return found == workers_.end() ? nullptr : found->second.get();
}

// Recomputes the service from its workers. Methods that no worker has are removed, unless there is no worker.
void ServiceRegistry::rebuild(Service& service) {
  const auto& workers = service.workers;
  if (!workers.empty()) {
    std::erase_if(service.methods, [&](const auto& entry) {
      return std::none_of(workers.begin(), workers.end(),
                          [&](const Worker* worker) { return worker->methods.contains(entry.first); });
    });
  }
  // Sticky if any worker requires it; a method is idempotent only if all workers that have it say so.
  service.sticky =
      std::any_of(workers.begin(), workers.end(), [](const Worker* worker) { return worker->sticky; });
  for (auto& [name, method] : service.methods) {
    method.idempotent = std::all_of(workers.begin(), workers.end(), [&name = name](const Worker* worker) {
      const auto found = worker->methods.find(name);
      return found == worker->methods.end() || found->second;
    });
  }
  service.uniform = std::all_of(workers.begin(), workers.end(), [&](const Worker* worker) {
    return worker->methods.size() == service.methods.size();
  });
  index();
}

void ServiceRegistry::index() {
  awaiting_ = std::any_of(services_.begin(), services_.end(),
                          [](const auto& entry) { return entry.second->awaited; });
  names_.clear();
  for (const auto& [name, service] : services_) {
    for (const auto& [method_name, method] : service->methods) {
      auto [bare, first] = names_.try_emplace(method_name, Target{Finding::kMethod, service.get(), &method});
      if (first) continue;
      Target& known = bare->second;
      if (known.finding == Finding::kMethod)
        known = {Finding::kAmbiguous, nullptr, nullptr, {qualified(known.service->name, method_name)}};
      known.candidates.push_back(qualified(name, method_name));
    }
  }
  // Last, since a bare name that contains a dot must not hide a qualified one.
  for (const auto& [name, service] : services_) {
    for (const auto& [method_name, method] : service->methods)
      names_.insert_or_assign(qualified(name, method_name), Target{Finding::kMethod, service.get(), &method});
  }
}

Dict ServiceRegistry::methods() const {
  std::map<std::string, Value> sorted;
  for (const auto& [name, service] : services_) {
    for (const auto& [method, offered] : service->methods)
      sorted.emplace(qualified(name, method), offered.description);
  }
  if (own_ != nullptr) {
    for (const auto& [name, description] : own_->methods())
      sorted.emplace(std::string(kOwnPrefix) + *name.as<std::string>(), description);
  }
  Dict all;
  for (auto& [name, description] : sorted) all.add(name, std::move(description));
  return all;
}

std::optional<Value> ServiceRegistry::find(const std::string& name) const {
  if (own_ != nullptr && name.starts_with(kOwnPrefix)) return own_->find(name.substr(kOwnPrefix.size()));
  const Target& target = look_up(name);
  if (target.method == nullptr) return std::nullopt;
  return target.method->description;
}

Dict ServiceRegistry::more() const {
  Dict services;
  for (const auto& [name, service] : services_) {
    const auto& workers = service->workers;
    const auto ready = std::count_if(workers.begin(), workers.end(),
                                     [](const Worker* worker) { return worker->load.alive(); });
    std::set<std::string> versions;
    for (const Worker* worker : workers) versions.insert(worker->version);
    wire::List list;
    for (const std::string& version : versions) list.push_back(version);
    services.add(name, Dict{{"workers", workers.size()}, {"ready", ready}, {"versions", std::move(list)}});
  }
  return {{"services", std::move(services)}};
}

void ServiceExpiry::left(Service& service) {
  service.left = timers_.now();
  if (!timer_.armed()) timer_.after(forget_after_);
}

bool ServiceExpiry::forget_oldest() {
  Service* const longest = longest_left();
  if (longest != nullptr) registry_.forget(*longest);
  return longest != nullptr;
}

// A service with queued calls is skipped: they refer to it, and time out soon.
Service* ServiceExpiry::longest_left() const {
  Service* longest = nullptr;
  for (const auto& [name, service] : registry_.services()) {
    const bool may_go = !service->configured && service->workers.empty() && service->queue.empty();
    if (may_go && (longest == nullptr || service->left < longest->left)) longest = service.get();
  }
  return longest;
}

void ServiceExpiry::sweep() {
  for (Service* longest = longest_left(); longest != nullptr; longest = longest_left()) {
    if (timers_.now() < longest->left + forget_after_) break;
    registry_.forget(*longest);
  }
  core::TimePoint next = core::TimePoint::max();
  for (const auto& [name, service] : registry_.services()) {
    if (!service->configured && service->workers.empty())
      next = std::min(next, service->left + forget_after_);
  }
  if (next != core::TimePoint::max())
    timer_.at(std::max(
        next, timers_.now() + std::chrono::seconds(1)));  // a service with queued calls may already be due
}

}  // namespace zerosuite::proxy
