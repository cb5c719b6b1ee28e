// The id service's methods.
#pragma once

#include <string>
#include <utility>

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

inline Service::Service(rpc::Server& server, Parts parts)
    : parts_(std::move(parts)), formats_(parts_.secrets) {
  Issuer& issuer = parts_.issuer;
  bind_snowflakes(server, issuer, formats_, parts_.limits);
  bind_random(server, issuer.random_ids(), issuer.reach(), parts_.limits);
  bind_segments(server, issuer.segments(), formats_, parts_.limits);
  bind_tags(server, issuer, parts_.admin_token, parts_.limits);
  bind_sequences(server, issuer, formats_, parts_.limits);
  bind_secrets(server, parts_.secrets, formats_);
  bind_operations(server, issuer, parts_.store, parts_.health_problems);
  server.observe(*this);
}

}  // namespace zerosuite::id
