// The folder and the file of the SQLite store: opened, checked and made; and its transactions.
//
// SQLite with a write-ahead log that is synced with every commit (https://sqlite.org/wal.html;
// https://sqlite.org/pragma.html#pragma_synchronous). One thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "db/database.hpp"
#include "db/folder.hpp"
#include "db/log.hpp"

namespace zerosuite::id::stores {

/// Owns the folder while it lives. Leaves the files alone when it goes: that is the same as a crash.
class SqliteFile {
 public:
  /// Throws core::Failure, one line: WorkerIdInUse when another process has the folder; StoreRegressed when
  /// the file is gone though the folder was in use, or when its log has lost commits, unless that is
  /// accepted; StorageError when it cannot be used or what is in it cannot be trusted.
  SqliteFile(const std::filesystem::path& folder, bool accept_regressed);

  const std::filesystem::path& path() const { return path_; }
  const db::Database& database() const { return *database_; }
  /// How often the folder was started on, this time included.
  std::int64_t run() const { return run_; }

  /// A transaction, on the disk when commit() returns. These throw db::SqliteFailure; roll_back() then undoes
  /// it.
  void begin();
  void commit();
  void roll_back() noexcept;
  /// Works the log into the file, so that the file alone is all there is. Throws db::SqliteFailure.
  void finish();

 private:
  void look() const;
  void open();
  void make() const;
  bool is_new() const;
  [[noreturn]] void refuse(const std::string& what) const;
  [[noreturn]] void refuse_regressed(const std::string& what) const;

  db::Folder folder_;
  const std::filesystem::path path_;
  const bool accept_regressed_;
  std::optional<db::Database> database_;
  db::Log log_;
  std::int64_t run_ = 0;
};

}  // namespace zerosuite::id::stores
