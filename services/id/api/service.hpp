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

/// All of the methods, and a check of the clocks before each call. Everything it is given must outlive the
/// server's calls, and so must the service.
class Service final : private rpc::Observer {
 public:
  struct Parts {
    Issuer& issuer;
    StoreStack& store;
    const Secrets& secrets;
    core::SecretText admin_token;    ///< Needed to change tags; empty = not needed.
    HealthProblems health_problems;  ///< In addition to the issuer's own.
    BatchLimits limits = {};
  };

  /// Registers them.
  Service(rpc::Server& server, Parts parts);

 private:
  void before(const rpc::CallInfo&) override { parts_.issuer.check_clock(); }

  const Parts parts_;
  const Formats formats_;
};

}  // namespace zerosuite::id
