#include <chrono>
#include <utility>

#include "id/api/groups.hpp"

namespace zerosuite::id {
namespace {

using core::Failure;
using rpc::Reply;
using wire::Dict, wire::List, wire::Value;

Value worker(Issuer& issuer) {
  const Now now = issuer.time().look();
  const WorkerIdLease& worker = issuer.worker();
  const auto left = worker.left(now.boot_ns);
  return Dict{{"worker", worker.lease().worker}, {"epoch", worker.lease().epoch},
              {"owner", worker.claim().owner},   {"hwm_ms", issuer.snowflakes().of("default").reserved_ms()},
              {"lease_ms_left", left},           {"lead_ms", issuer.time().lead()}};
}

Value snowflake_stats(const Snowflakes& snowflakes) {
  Dict dict;
  for (const auto& [fingerprint, snowflake] : snowflakes.all()) {
    dict.add(snowflake.layout().name, Dict{{"issued", snowflake.issued()},
                                           {"parked", snowflake.parked()},
                                           {"hwm_ms", snowflake.reserved_ms()}});
  }
  return dict;
}

Value stats(Issuer& issuer, StoreStack& store) {
  return Dict{{"store", issuer.store().traits().name},
              {"regressions", store.store().regressions()},
              {"clock_lead_ms", issuer.time().lead()},
              {"clock_breaks", issuer.time().discontinuities()},
              {"snowflakes", snowflake_stats(issuer.snowflakes())}};
}

Value health(Issuer& issuer, const GuardedStore& store, const HealthProblems& elsewhere) {
  List reasons;
  for (std::string& trouble : elsewhere()) reasons.push_back(std::move(trouble));
  for (std::string& trouble : issuer.health_problems()) reasons.push_back(std::move(trouble));
  if (const auto& regressed = store.regressed())
    reasons.push_back(regressed->name + ": " + regressed->text());
  const bool well = reasons.empty();
  return Dict{{"ok", well}, {"reasons", std::move(reasons)}};
}

void redis_id(stores::RedisIds* ids, const Reply<std::int64_t>& reply, const std::string& prefix,
              std::int64_t epoch_s) {
  if (ids == nullptr) throw Failure(core::kEngineDisabled, "redis_id() needs --store redis");
  constexpr std::size_t kMost = 128;
  if (prefix.empty() || prefix.size() > kMost)
    throw Failure(core::kInvalidArgument,
                  "a prefix has from 1 to 128 bytes, not " + std::to_string(prefix.size()));
  ids->next(prefix, epoch_s, reply);
}

}  // namespace

void bind_operations(rpc::Server& server, Issuer& issuer, StoreStack& store,
                     const HealthProblems& elsewhere) {
  server.query("worker", "The worker id in the snowflakes, its owner and the time left of its lease.",
               [&issuer] { return worker(issuer); });
  server.query("stats", "Counts of issued ids, and the state of the store and the clock.",
               [&issuer, &store] { return stats(issuer, store); });
  server.query("health", "Whether all is well, and what is not.",
               [&issuer, &store, &elsewhere] { return health(issuer, store.store(), elsewhere); });
  server.method("redis_id", {"prefix", {"epoch_s", 0}},
                "An id by Redis: seconds since epoch_s in the high half, a day's counter in the low half.",
                [&store](const Reply<std::int64_t>& reply, const std::string& prefix, std::int64_t epoch_s) {
                  redis_id(store.redis_ids(), reply, prefix, epoch_s);
                });
}

}  // namespace zerosuite::id
