#include "id/api.hpp"

#include <utility>

namespace zerosuite::id {

Service::Service(rpc::Server& server, Parts parts) : parts_(std::move(parts)), formats_(parts_.secrets) {
  Issuer& issuer = parts_.issuer;
  bind_snowflakes(server, issuer.snowflakes(), issuer.time(), formats_);
  bind_random(server, issuer.random_ids());
  bind_tags(server, issuer.segments(), formats_, parts_.admin_token);
  bind_sequences(server, issuer.sequences(), issuer.daily(), formats_);
  bind_secrets(server, parts_.secrets, formats_);
  bind_operations(server, issuer, parts_.store, parts_.troubles);
  server.observe(*this);
}

}  // namespace zerosuite::id
