// The id service's methods.
#pragma once

#include <string>

#include "id/api/format.hpp"
#include "id/api/groups.hpp"
#include "id/issuer.hpp"
#include "id/secret/secrets.hpp"
#include "id/store_stack.hpp"
#include "rpc/observer.hpp"
#include "rpc/server/server.hpp"

namespace zerosuite::id {

/// All methods, with a check of the clocks before each call. The parts, and the service itself, must outlive
/// the server's calls.
class Service final : private rpc::Observer {
 public:
  struct Parts {
    Issuer& issuer;
    StoreStack& store;
    const Secrets& secrets;
    core::SecretText admin_token;    ///< Required to change tags; empty = not required.
    HealthProblems health_problems;  ///< In addition to the issuer's own.
    BatchLimits limits = {};
  };

  /// Registers the methods.
  Service(rpc::Server& server, Parts parts);

 private:
  void before(const rpc::CallInfo&) override { parts_.issuer.check_clock(); }

  const Parts parts_;
  const Formats formats_;
};

}  // namespace zerosuite::id
