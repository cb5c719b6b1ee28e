#include "id/store_stack.hpp"

#include "id/config.hpp"
#include "id/secret/secret_file.hpp"

namespace zerosuite::id {
namespace {

// Once when it begins, and once when it is over.
void tell(ops::Log& log, const std::optional<core::Error>& trouble) {
  if (!trouble) return log.write(ops::Level::kInfo, "store", {{"works", "again"}});
  log.write(ops::Level::kError, "store", {{"error", trouble->name}, {"reason", trouble->message}});
}

}  // namespace

StoreStack::StoreStack(ops::App& app) {
  app.config().text("store") == "redis" ? open_redis(app) : open_sqlite(app);
}

void StoreStack::open_sqlite(ops::App& app) {
  const ops::Config& config = app.config();
  sqlite_ = std::make_unique<stores::SqliteStore>(
      app.reactor().timers(), app.offload(),
      stores::SqliteOptions{.folder = config.text("data"),
                            .accept_regressed = config.on("accept_regressed")});
  marks_.emplace(floors_file(config));
  sqlite_->check(*marks_);
  const auto told = [&log = app.log()](const std::optional<core::Error>& trouble) { tell(log, trouble); };
  sqlite_->on_change(told);
  guarded_.emplace(*sqlite_, *marks_, told);
}

void StoreStack::open_redis(ops::App& app) {
  const ops::Config& config = app.config();
  db::RedisOptions options{.endpoint = config.text("redis"),
                           .max_reply_bytes = config.size("redis_max_reply_bytes")};
  if (const auto file = text_unless_none(config, "redis_password_file"))
    options.password = read_secret(*file);
  folder_ = std::make_unique<db::Folder>(config.text("data"));
  marks_.emplace(floors_file(config));
  marks_->begin();
  redis_ = std::make_unique<db::Redis>(app.reactor(), app.names(), options);
  redis_->on_change([&log = app.log()](const std::optional<core::Error>& trouble) {
    if (trouble) return log.write(ops::Level::kWarn, "store", {{"trouble", trouble->message}});
    log.write(ops::Level::kInfo, "store", {{"connected", "redis"}});
  });
  redis_store_ = std::make_unique<stores::RedisStore>(
      *redis_,
      stores::RedisStoreOptions{.prefix = config.text("redis_prefix"),
                                .wait_replicas = static_cast<int>(config.integer("redis_replicas"))});
  redis_ids_ = std::make_unique<stores::RedisIds>(*redis_, *redis_store_, config.size("max_names"));
  guarded_.emplace(*redis_store_, *marks_,
                   [&log = app.log()](const std::optional<core::Error>& trouble) { tell(log, trouble); });
}

std::optional<core::Error> StoreStack::close() { return sqlite_ ? sqlite_->close() : std::nullopt; }

}  // namespace zerosuite::id
