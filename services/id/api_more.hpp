// The groups of methods that have a file of their own.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "id/api_format.hpp"
#include "id/issuer.hpp"
#include "id/open_store.hpp"
#include "id/random_ids.hpp"
#include "id/secrets.hpp"
#include "rpc/server.hpp"

namespace zerosuite::id {

/// snowflake and its kin, parse and range_at.
void bind_snowflakes(rpc::Server& server, Snowflakes& snowflakes, IdTime& time, const Formats& formats);
/// What is wrong elsewhere in the program, for health(); whole sentences.
using Troubles = std::function<std::vector<std::string>()>;
/// What operators look at; and redis_id. `elsewhere` must outlive the server's calls.
void bind_operations(rpc::Server& server, Issuer& issuer, OpenStore& store, const Troubles& elsewhere);
/// uuid1, uuid4, uuid6, uuid7, ulid, ksuid, xid and objectid.
void bind_random(rpc::Server& server, RandomIds& ids);
/// obf and token, encode, and what undoes them.
void bind_secrets(rpc::Server& server, const Secrets& secrets, const Formats& formats);
/// segment and its kin, and what changes and shows tags. `admin_token` is what changing them asks for; empty
/// = nothing. It must outlive the server's calls.
void bind_tags(rpc::Server& server, Segments& segments, const Formats& formats,
               const core::SecretText& admin_token);
/// seq and its kin, and daily.
void bind_sequences(rpc::Server& server, Sequences& sequences, Daily& daily, const Formats& formats);

}  // namespace zerosuite::id
