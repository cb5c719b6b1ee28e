// The groups of methods.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/keyed_hash.hpp"
#include "id/api/format.hpp"
#include "id/clock/reach.hpp"
#include "id/issuer.hpp"
#include "id/random/random_ids.hpp"
#include "id/secret/secrets.hpp"
#include "id/snowflake/fair_queue.hpp"
#include "id/store_stack.hpp"
#include "rpc/server/server.hpp"

namespace zerosuite::id {

/// The key of the client that made the call.
template <class T>
Client client_of(const rpc::Reply<T>& reply) {
  return core::KeyedHash()(std::string_view(reply.call().client()));
}

// All arguments must outlive the server's calls.

/// snowflake, snowflake_batch, snowflake_runs, parse and range_at.
void bind_snowflakes(rpc::Server& server, Issuer& issuer, const Formats& formats, const BatchLimits& limits);
/// Problems elsewhere in the program, for health(), as whole sentences.
using HealthProblems = std::function<std::vector<std::string>()>;
/// worker, stats and health, for operators; and redis_id.
void bind_operations(rpc::Server& server, Issuer& issuer, StoreStack& store, const HealthProblems& elsewhere);
/// uuid1, uuid4, uuid6, uuid7, ulid, ksuid, xid and objectid.
void bind_random(rpc::Server& server, RandomIds& ids, Reach& reach, const BatchLimits& limits);
/// obf, token and encode, and their inverses deobf, untoken and decode.
void bind_secrets(rpc::Server& server, const Secrets& secrets, const Formats& formats);
/// segment, segment_batch and segment_range.
void bind_segments(rpc::Server& server, Segments& segments, const Formats& formats,
                   const BatchLimits& limits);
/// tag_create, tag_update, tag_delete, tags and tag_info. Changes need `admin_token`, unless it is empty.
void bind_tags(rpc::Server& server, Issuer& issuer, const core::SecretText& admin_token,
               const BatchLimits& limits);
/// seq, seq_batch, seq_durable and daily.
void bind_sequences(rpc::Server& server, Issuer& issuer, const Formats& formats, const BatchLimits& limits);

}  // namespace zerosuite::id
