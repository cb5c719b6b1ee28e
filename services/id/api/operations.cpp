#include <chrono>
#include <utility>

#include "id/api/groups.hpp"

namespace zerosuite::id {
namespace {

using core::Failure;
using rpc::Reply;
using wire::Dict, wire::Integer, wire::List, wire::Value;

void put(Dict& dict, const char* key, Value value) { dict.push_back({{std::string(key)}, std::move(value)}); }

template <std::integral T>
void put(Dict& dict, const char* key, T value) {
  put(dict, key, Value{Integer{value}});
}

Value worker(Issuer& issuer) {
  const Now now = issuer.time().look();
  const WorkerIdLease& worker = issuer.worker();
  const auto left = worker.left(now.boot_ns);
  Dict dict;
  put(dict, "worker", worker.lease().worker);
  put(dict, "epoch", worker.lease().epoch);
  put(dict, "owner", Value{worker.claim().owner});
  put(dict, "hwm_ms", issuer.snowflakes().of("default").reserved_ms());
  put(dict, "lease_ms_left", left ? Value{Integer{left->count()}} : Value{});
  put(dict, "lead_ms", issuer.time().lead().count());
  return {std::move(dict)};
}

Value snowflake_stats(const Snowflakes& snowflakes) {
  Dict dict;
  for (const auto& [fingerprint, snowflake] : snowflakes.all()) {
    Dict one;
    put(one, "issued", snowflake.issued());
    put(one, "parked", snowflake.parked());
    put(one, "hwm_ms", snowflake.reserved_ms());
    put(dict, snowflake.layout().name.c_str(), Value{std::move(one)});
  }
  return {std::move(dict)};
}

Value stats(Issuer& issuer, StoreStack& store) {
  Dict dict;
  put(dict, "store", Value{std::string(issuer.store().traits().name)});
  put(dict, "regressions", store.store().regressions());
  put(dict, "clock_lead_ms", issuer.time().lead().count());
  put(dict, "clock_breaks", issuer.time().discontinuities());
  put(dict, "snowflakes", snowflake_stats(issuer.snowflakes()));
  return {std::move(dict)};
}

Value health(Issuer& issuer, const GuardedStore& store, const HealthProblems& elsewhere) {
  List reasons;
  for (std::string& trouble : elsewhere()) reasons.push_back({std::move(trouble)});
  for (std::string& trouble : issuer.health_problems()) reasons.push_back({std::move(trouble)});
  if (const auto& regressed = store.regressed())
    reasons.push_back({regressed->name + ": " + regressed->message});
  Dict dict;
  put(dict, "ok", Value{reasons.empty()});
  put(dict, "reasons", Value{std::move(reasons)});
  return {std::move(dict)};
}

void redis_id(stores::RedisIds* ids, const Reply<std::int64_t>& reply, const std::string& prefix,
              std::int64_t epoch_s) {
  if (ids == nullptr) throw Failure(core::kEngineDisabled, "redis_id() needs --store redis");
  constexpr std::size_t kMost = 128;
  if (prefix.empty() || prefix.size() > kMost)
    throw Failure(core::kInvalidArgument,
                  "a prefix has from 1 to 128 bytes, not " + std::to_string(prefix.size()));
  ids->next(prefix, epoch_s,
            [reply](const core::Result<std::int64_t>& id) { id ? reply(*id) : reply(id.error()); });
}

}  // namespace

void bind_operations(rpc::Server& server, Issuer& issuer, StoreStack& store,
                     const HealthProblems& elsewhere) {
  server
      .method("worker", "Which worker id is in the snowflakes, whose it is and for how long.",
              [&issuer] { return worker(issuer); })
      .idempotent = true;
  server
      .method("stats", "What was issued, and how far the clock is off.",
              [&issuer, &store] { return stats(issuer, store); })
      .idempotent = true;
  server
      .method("health", "Whether all is well, and what is not.",
              [&issuer, &store, &elsewhere] { return health(issuer, store.store(), elsewhere); })
      .idempotent = true;
  server.method("redis_id", {"prefix", {"epoch_s", {Integer{0}}}},
                "The second since epoch_s in the high half, a counter of the day by INCR in the low one.",
                [&store](const Reply<std::int64_t>& reply, const std::string& prefix, std::int64_t epoch_s) {
                  redis_id(store.redis_ids(), reply, prefix, epoch_s);
                });
}

}  // namespace zerosuite::id
