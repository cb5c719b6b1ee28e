// What can be called by which name, and who answers it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/keyed_hash.hpp"
#include "proxy/worker.hpp"
#include "rpc/server/catalogue.hpp"
#include "rpc/worker/registration.hpp"

namespace zerosuite::proxy {

/// A name in front of methods, and the workers behind it. It stays known when its last worker has gone: its
/// methods are then unavailable, not unknown.
struct Service {
  std::string name;
  bool sticky = false;
  bool uniform = true;      ///< Every worker has every method.
  bool configured = false;  ///< An upstream of the file, so it is never forgotten.
  bool awaited = false;     ///< It is configured, and no worker has told yet what it offers.
  std::vector<Worker*> workers;
  std::map<std::string, rpc::OfferedMethod, std::less<>> methods;  ///< Of all workers together.
  IntrusiveList<Route, &Route::of_queue> queue;                    ///< Calls that wait for a worker.
  std::size_t queued_bytes = 0;
  core::TimePoint left{};  ///< When its last worker went, while it has none.

  bool has_live_worker() const;
  /// Whether time alone may bring room: some worker is not at its max_inflight.
  bool may_have_room() const;
};

/// Belongs to the loop's thread.
class ServiceRegistry final : public rpc::Catalogue {
 public:
  enum class Finding : std::uint8_t {
    kMethod,
    kAmbiguous,
    kNoService,
    kNoMethod,
    kAwaited,  ///< It may be a method of a service whose methods nobody has told yet.
  };
  struct Target {
    Finding finding = Finding::kNoMethod;
    Service* service = nullptr;                  ///< Null unless a method was found.
    const rpc::OfferedMethod* method = nullptr;  ///< Valid until a worker comes or goes.
    std::vector<std::string> candidates = {};    ///< Of an ambiguous name, the names that are not.
  };
  /// `name` is `service.method`, or a bare method that exactly one service has.
  const Target& look_up(std::string_view name) const;

  /// Makes a service known before its first worker has come, with those of its methods that are known.
  void expect(const std::string& service, const std::vector<rpc::OfferedMethod>& methods);
  /// Takes a worker in, and its service if it is new. No other worker may have its id.
  Worker& add(std::unique_ptr<Worker> worker, const rpc::Registration& registration);
  /// Forgets it; no channel may be left on it.
  void remove(Worker& worker);
  /// Forgets a service without workers, and its names; no call may wait for it. What it is bound to stays.
  void forget(Service& service);

  /// The state that the service was given first; null when it was given none.
  const rpc::State* bound(std::string_view service) const;
  /// What every service that was given a state is bound to, also those that are not known any more.
  const std::map<std::string, rpc::State, std::less<>>& bound() const { return bound_; }
  /// Forgets that. Answers what it was.
  std::optional<rpc::State> unbind(std::string_view service);

  /// Null when there is none of that id.
  Worker* worker(std::string_view id) const;
  const std::map<std::string, std::unique_ptr<Worker>, std::less<>>& workers() const { return workers_; }
  const std::map<std::string, std::unique_ptr<Service>, std::less<>>& services() const { return services_; }
  /// Describes this too, as `proxy.NAME`.
  void add_own(const rpc::Catalogue& methods) { own_ = &methods; }

  // Names have their service in front.
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
  bool awaiting_ = false;  // some service's methods
  const rpc::Catalogue* own_ = nullptr;
};

}  // namespace zerosuite::proxy
