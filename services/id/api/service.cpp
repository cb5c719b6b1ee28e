#include "id/api/service.hpp"

#include <utility>

namespace zerosuite::id {

Service::Service(rpc::Server& server, Parts parts) : parts_(std::move(parts)), formats_(parts_.secrets) {
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
