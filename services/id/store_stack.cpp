#include "id/store_stack.hpp"

#include "id/secret/secret_file.hpp"

namespace zerosuite::id {
namespace {

// Logs a problem of the store when it begins and when it is over.
void tell(ops::Log& log, const std::optional<core::Error>& trouble) {
  if (!trouble) return log.write(ops::Level::kInfo, "store", {{"works", "again"}});
  log.write(ops::Level::kError, "store", {{"error", trouble->name}, {"reason", trouble->message}});
}

}  // namespace

StoreStack::StoreStack(ops::App& app, const Config& config) {
  config.store == StoreKind::kRedis ? open_redis(app, config) : open_sqlite(app, config);
}

void StoreStack::open_sqlite(ops::App& app, const Config& config) {
  sqlite_ = std::make_unique<stores::SqliteStore>(
      app.reactor().timers(), app.offload(),
      stores::SqliteOptions{.folder = config.data, .accept_regressed = config.accept_regressed});
  marks_.emplace(config.marks_file());
  sqlite_->check(*marks_);
  const auto told = [&log = app.log()](const std::optional<core::Error>& trouble) { tell(log, trouble); };
  sqlite_->on_change(told);
  guarded_.emplace(*sqlite_, *marks_, told);
}

void StoreStack::open_redis(ops::App& app, const Config& config) {
  db::RedisOptions options{.endpoint = config.redis, .max_reply_bytes = config.redis_max_reply_bytes};
  if (config.redis_password_file) options.password = read_secret(*config.redis_password_file);
  folder_ = std::make_unique<db::Folder>(config.data);
  marks_.emplace(config.marks_file());
  marks_->begin();
  redis_ = std::make_unique<db::Redis>(app.reactor(), app.names(), options);
  redis_->on_change([&log = app.log()](const std::optional<core::Error>& trouble) {
    if (trouble) return log.write(ops::Level::kWarn, "store", {{"trouble", trouble->message}});
    log.write(ops::Level::kInfo, "store", {{"connected", "redis"}});
  });
  redis_store_ = std::make_unique<stores::RedisStore>(
      *redis_,
      stores::RedisStoreOptions{.prefix = config.redis_prefix, .wait_replicas = config.redis_replicas});
  redis_ids_ = std::make_unique<stores::RedisIds>(*redis_, *redis_store_, config.issuer.sequences.max_names);
  guarded_.emplace(*redis_store_, *marks_,
                   [&log = app.log()](const std::optional<core::Error>& trouble) { tell(log, trouble); });
}

std::optional<core::Error> StoreStack::close() { return sqlite_ ? sqlite_->close() : std::nullopt; }

}  // namespace zerosuite::id
