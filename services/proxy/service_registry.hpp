// The callable names, and the services and workers behind them.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/keyed_hash.hpp"
#include "net/timers.hpp"
#include "proxy/worker.hpp"
#include "rpc/server/catalogue.hpp"
#include "rpc/worker/registration.hpp"

namespace zerosuite::proxy {

/// A named group of methods, and the workers that serve it. It stays known when its last worker has gone: its
/// methods are then unavailable, not unknown.
struct Service {
  std::string name;
  bool sticky = false;
  bool uniform = true;      ///< Every worker has every method.
  bool configured = false;  ///< It has a configured upstream, so it is never forgotten.
  bool awaited = false;     ///< It is configured, and its methods are not known yet.
  std::vector<Worker*> workers;
  std::map<std::string, rpc::OfferedMethod, std::less<>> methods;  ///< Of all workers together.
  IntrusiveList<Route, &Route::of_queue> queue;                    ///< Calls that wait for a worker.
  std::size_t queued_bytes = 0;
  core::TimePoint left{};  ///< While it has no worker, when the last one left.

  bool has_live_worker() const;
  /// Whether room may appear without a call ending: some worker is below its max_inflight.
  bool may_have_room() const;
};

/// Loop thread only.
class ServiceRegistry final : public rpc::Catalogue {
 public:
  enum class Finding : std::uint8_t {
    kMethod,
    kAmbiguous,
    kNoService,
    kNoMethod,
    kAwaited,  ///< It may be a method of a service whose methods are not known yet.
  };
  struct Target {
    Finding finding = Finding::kNoMethod;
    Service* service = nullptr;                  ///< Null unless a method was found.
    const rpc::OfferedMethod* method = nullptr;  ///< Valid until a worker comes or goes.
    std::vector<std::string> candidates = {};    ///< For an ambiguous name, the qualified names.
  };
  /// `name` is `service.method`, or a bare method that exactly one service has.
  const Target& look_up(std::string_view name) const;

  /// Adds a configured service before its first worker, with those of its methods that are known.
  void expect(const std::string& service, const std::vector<rpc::OfferedMethod>& methods);
  /// Adds a worker, and its service if it is new. No other worker may have its id.
  Worker& add(std::unique_ptr<Worker> worker, const rpc::Registration& registration);
  /// Removes a worker; it must not have any channel.
  void remove(Worker& worker);
  /// Removes a service without workers, and its names; no call may wait for it. Its binding stays.
  void forget(Service& service);

  /// The state that the service is bound to; null if there is none.
  const rpc::State* bound(std::string_view service) const;
  /// The bindings of all services, also of forgotten ones.
  const std::map<std::string, rpc::State, std::less<>>& bound() const { return bound_; }
  /// Removes the binding and returns its state; nullopt if there was none.
  std::optional<rpc::State> unbind(std::string_view service);

  /// Null if there is none with that id.
  Worker* worker(std::string_view id) const;
  const std::map<std::string, std::unique_ptr<Worker>, std::less<>>& workers() const { return workers_; }
  const std::map<std::string, std::unique_ptr<Service>, std::less<>>& services() const { return services_; }
  /// Adds the proxy's own methods to the catalogue, as `proxy.NAME`.
  void add_own(const rpc::Catalogue& methods) { own_ = &methods; }

  // Names are qualified: `service.method`.
  wire::Dict methods() const override;
  std::optional<wire::Value> find(const std::string& name) const override;
  wire::Dict more() const override;

 private:
  Service& service_of(const std::string& name);
  void rebuild(Service& service);
  void index();

  std::map<std::string, std::unique_ptr<Worker>, std::less<>> workers_;
  std::map<std::string, std::unique_ptr<Service>, std::less<>> services_;
  std::map<std::string, rpc::State, std::less<>> bound_;  // by service
  std::unordered_map<std::string, Target, core::KeyedHash, std::equal_to<>> names_;
  bool awaiting_ = false;  // some service is `awaited`
  const rpc::Catalogue* own_ = nullptr;
};

/// Forgets services that have had no worker for a long time. Loop thread only. Services of the configuration,
/// and those with queued calls, are not forgotten.
class ServiceExpiry {
 public:
  ServiceExpiry(net::Timers& timers, ServiceRegistry& registry, core::milliseconds forget_after)
      : timers_(timers),
        registry_(registry),
        forget_after_(forget_after),
        timer_(timers, [this] { sweep(); }) {}

  /// The service's last worker has gone.
  void left(Service& service);
  /// Forgets the service that has had no worker for the longest time. False if none may be forgotten.
  bool forget_oldest();

 private:
  Service* longest_left() const;
  void sweep();

  net::Timers& timers_;
  ServiceRegistry& registry_;
  core::milliseconds forget_after_;
  net::Timer timer_;
};

}  // namespace zerosuite::proxy
