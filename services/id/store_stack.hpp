// The configured store, with everything that it depends on.
#pragma once

#include <memory>
#include <optional>

#include "db/folder.hpp"
#include "db/redis.hpp"
#include "id/config.hpp"
#include "id/stores/guarded_store.hpp"
#include "id/stores/high_water_marks.hpp"
#include "id/stores/redis_ids.hpp"
#include "id/stores/redis_store.hpp"
#include "id/stores/sqlite_store.hpp"
#include "ops/app.hpp"

namespace zerosuite::id {

/// Belongs to the loop's thread.
class StoreStack {
 public:
  /// Opens the folder. Throws core::Failure, one line, if it or the configuration cannot be used. Redis is
  /// connected to in later turns of the loop.
  StoreStack(ops::App& app, const Config& config);

  GuardedStore& store() { return *guarded_; }
  /// Null if the store is not Redis.
  stores::RedisIds* redis_ids() { return redis_ids_.get(); }
  /// Whether no write to the disk is in progress.
  bool idle() const { return !sqlite_ || sqlite_->idle(); }
  /// At the end, when it is idle: writes what is outstanding. Returns the error if that fails.
  std::optional<core::Error> close();

 private:
  void open_sqlite(ops::App& app, const Config& config);
  void open_redis(ops::App& app, const Config& config);

  std::unique_ptr<stores::SqliteStore> sqlite_;
  std::unique_ptr<db::Folder> folder_;  // of the floors, if the store is Redis
  std::unique_ptr<db::Redis> redis_;
  std::unique_ptr<stores::RedisStore> redis_store_;
  std::unique_ptr<stores::RedisIds> redis_ids_;
  std::optional<HighWaterMarks> marks_;
  std::optional<GuardedStore> guarded_;
};

}  // namespace zerosuite::id
