// The SQLite store in a folder of its own, on a fake clock; it may be started there again and again.
#pragma once

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>

#include "id/stores/sqlite_store.hpp"
#include "support/fakes.hpp"
#include "support/store_calls.hpp"
#include "support/temporary_folder.hpp"

namespace zerosuite::test {

class SqliteStoreRig {
 public:
  SqliteStoreRig() { start(); }
  ~SqliteStoreRig() { crash(); }
  SqliteStoreRig(const SqliteStoreRig&) = delete;
  SqliteStoreRig& operator=(const SqliteStoreRig&) = delete;

  id::stores::SqliteStore& store() { return *store_; }
  StoreCalls<SqliteStoreRig> ask() { return StoreCalls<SqliteStoreRig>(*this); }

  void settle() {
    do {
      while (!offload.waiting.empty()) offload.work();
      timers.advance_to(timers.now());
    } while (!offload.waiting.empty());
  }
  void pass(core::milliseconds duration) {
    const auto end = timers.now() + duration;
    while (timers.now() < end) {
      timers.advance_to(std::min(timers.now() + core::milliseconds(10), end));
      settle();
    }
  }

  void start(bool accept_regressed = false) {
    store_ = std::make_unique<id::stores::SqliteStore>(timers, offload,
                                                       id::stores::SqliteOptions{path(), accept_regressed});
  }
  /// The process is gone, and with it all that was not on the disk.
  void crash() {
    offload.waiting.clear();
    store_.reset();
  }
  void restart_after_crash() {
    crash();
    start();
  }
  std::optional<core::Error> close() {
    auto error = store_->close();
    store_.reset();
    return error;
  }
  void restart() {
    close();
    start();
  }

  std::filesystem::path path() const { return folder_.path() / "ids"; }
  std::filesystem::path file() const { return path() / "ids.db"; }
  std::filesystem::path log() const { return path() / "ids.db-wal"; }

  net::Timers timers{kStart};
  HandOffload offload;

 private:
  TemporaryFolder folder_;
  std::unique_ptr<id::stores::SqliteStore> store_;
};

}  // namespace zerosuite::test
