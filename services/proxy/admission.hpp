// Which workers may serve a service: none under another worker's id, and for a service with data only workers
// with the state it was first bound to, and only one process unless the state is shared.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "core/error.hpp"
#include "proxy/dispatcher.hpp"
#include "rpc/worker/registration.hpp"

namespace zerosuite::proxy {

struct AdmissionOptions {
  std::size_t max_workers = 4096;  ///< Registered at a time.
  std::size_t max_services = 256;  ///< Known at a time, including those without workers.
};

/// Loop thread only.
class Admission {
 public:
  Admission(Dispatcher& dispatch, ServiceRegistry& registry, const AdmissionOptions& options)
      : dispatcher_(dispatch), registry_(registry), options_(options) {}

  /// Why the worker may not be admitted now; nullopt if it may. Removes the workers it replaces: the earlier
  /// registration of the same process, a process whose lock file it holds now, and workers found to be gone.
  ///
  /// A service stays bound to its first state even without workers: a different state lacks what the first
  /// has granted. Only an operator can decide that this no longer matters (ServiceRegistry::unbind).
  std::optional<core::Error> refusal(const rpc::Registration& newcomer);

 private:
  std::optional<core::Error> taken_id(const rpc::Registration& newcomer);
  std::optional<core::Error> wrong_state(const rpc::Registration& newcomer);
  std::optional<core::Error> second_owner(const rpc::Registration& newcomer);
  std::optional<core::Error> no_room(const rpc::Registration& newcomer);
  bool is_gone(Worker& worker);

  Dispatcher& dispatcher_;
  ServiceRegistry& registry_;
  AdmissionOptions options_;
};

}  // namespace zerosuite::proxy
