// Who may answer for a service: no stranger under another's id, and of a service that keeps data the one
// state it had from the beginning, by one process unless the state is shared.
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
  std::size_t max_services = 256;  ///< Known at a time, also those whose workers have gone.
};

/// Belongs to the loop's thread.
class Admission {
 public:
  Admission(Dispatcher& dispatch, ServiceRegistry& registry, const AdmissionOptions& options)
      : dispatcher_(dispatch), registry_(registry), options_(options) {}

  /// Why the worker may not be taken now; nullopt when it may. Takes out those it replaces: the same process
  /// before it registered anew, and any worker that turns out to be gone.
  ///
  /// A service is bound to the first state it is given, also when all its workers have left: another one does
  /// not know what the first has granted. Only an operator can tell that this does not matter any more
  /// (ServiceRegistry::unbind).
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
