// The database in which a service keeps what must survive it: one SQLite file in a folder of its own.
//
// It has a write-ahead log that is synced with every commit (https://sqlite.org/wal.html;
// https://sqlite.org/pragma.html#pragma_synchronous)and checked before SQLite reads it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "db/database.hpp"
#include "db/folder.hpp"
#include "db/write_ahead_log.hpp"

namespace zerosuite::db {

/// What identifies a service's file.
struct StateFormat {
  std::string_view file;  ///< Its name in the folder.
  std::string_view mark;  ///< The mark of a folder in use, in which the file must exist.
  std::string_view kind;  ///< "a lock database"
  std::int64_t application_id = 0;
  std::int64_t first_version = 1;  ///< The oldest that the service can read, and
  std::int64_t version = 1;        ///< the one that it writes.
  std::vector<std::string_view> schema = {};
  std::string advice = {};          ///< "; to go on, …": what to do about a file that cannot be trusted,
  std::string version_advice = {};  ///< and about one written by another version of the program.
};

/// Owns the folder while it lives. Destroying it leaves the files as a crash would. One thread at a time.
/// Failures are core::Failure StorageError, one line; from SQLite, SqliteFailure.
class StateFile {
 public:
  /// What to do when the file is gone though the folder was in use.
  enum class IfGone : std::uint8_t { kRefuse, kMakeAnew };

  /// Locks the folder and checks the log before SQLite reads it. Throws FolderInUse when another process uses
  /// the folder.
  StateFile(const std::filesystem::path& folder, StateFormat format);

  const std::filesystem::path& path() const { return path_; }
  /// Whether the folder was in use before.
  bool known() const { return !folder_.mark().empty(); }
  /// Whether it was and the file is missing or empty.
  bool gone() const;
  /// The state of the log that the previous process left, and whether that process did not stop cleanly.
  LogState log() const { return log_.found(); }
  bool log_was_open() const { return log_.was_open(); }

  /// Opens the file, or creates it in a new folder. Throws when it is gone, not of this format, or damaged,
  /// and when SQLite does not accept syncing every commit; the file is then left unchanged.
  void open(IfGone if_gone);
  /// Everything from here on: only after open().
  const Database& database() const { return *database_; }
  std::int64_t version() const { return database_->integer("PRAGMA user_version"); }

  /// Runs the first transaction of this process; `work` also upgrades an older file. Checkpoints the log, and
  /// marks the folder as in use. When `work` fails, the next process finds the same state as this one.
  void start(const std::function<void()>& work);
  /// A transaction, on the disk when commit() returns. When one of these or a statement in between throws,
  /// call roll_back(), which undoes it and notes that what it left in the log is to be ignored.
  void begin();
  void commit();
  void roll_back() noexcept;
  /// Checkpoints the log into the file.
  void checkpoint() { log_.checkpoint(); }
  /// The same at the end, leaving only the file.
  void finish() { log_.close(); }

  /// Runs `read`; calls refuse() when SQLite finds the file damaged.
  void guarded(const std::function<void()>& read) const;
  /// Throws StorageError: the file's path and `what`, such as "is damaged: …", followed by the advice on how
  /// to go on.
  [[noreturn]] void refuse(const std::string& what) const;

 private:
  void make() const;
  void check() const;
  bool is_new(IfGone if_gone) const;
  [[noreturn]] void fail(const std::string& message) const;

  const StateFormat format_;
  Folder folder_;
  const std::filesystem::path path_;
  std::optional<Database> database_;
  WriteAheadLog log_;
};

}  // namespace zerosuite::db
