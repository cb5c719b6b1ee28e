// The database in which a service keeps what must survive it: one SQLite file in a folder of its own.
//
// With a write-ahead log that is synced with every commit (https://sqlite.org/wal.html;
// https://sqlite.org/pragma.html#pragma_synchronous), and that is checked before SQLite reads it.
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
#include "db/log.hpp"

namespace zerosuite::db {

/// What makes a file one of a service's own.
struct StateFormat {
  std::string_view file;  ///< Its name in the folder.
  std::string_view mark;  ///< Of a folder in use: the file must be there from then on.
  std::string_view kind;  ///< "a lock database"
  std::int64_t application_id = 0;
  std::int64_t first_version = 1;  ///< The oldest that the service can read, and
  std::int64_t version = 1;        ///< the one that it writes.
  std::vector<std::string_view> schema = {};
  std::string advice = {};          ///< "; to go on, …": what to do about a file that cannot be trusted,
  std::string version_advice = {};  ///< and about one that another version of the program wrote.
};

/// Owns the folder while it lives. Leaves the files alone when it is destroyed: that is the same as a crash.
/// One thread at a time. Failures are core::Failure StorageError, one line; from SQLite, SqliteFailure.
class StateFile {
 public:
  /// What to do when the file is gone though the folder was in use.
  enum class IfGone : std::uint8_t { kRefuse, kMakeAnew };

  /// Locks the folder and checks the log, before SQLite sees it. Throws FolderInUse when another process has
  /// the folder.
  StateFile(const std::filesystem::path& folder, StateFormat format);

  const std::filesystem::path& path() const { return path_; }
  /// The folder was in use before.
  bool known() const { return !folder_.mark().empty(); }
  /// It was, and the file is not there.
  bool gone() const;
  /// What the process before left of its log, and whether it did not come to its end in good order.
  LogState log() const { return log_.found(); }
  bool log_was_open() const { return log_.was_open(); }

  /// Opens the file, or makes it in a new folder. Throws when it is gone, not of this format, or damaged, and
  /// when SQLite does not promise to sync every commit; the file stays as it is then.
  void open(IfGone if_gone);
  /// After open(), as is all that follows.
  const Database& database() const { return *database_; }
  std::int64_t version() const { return database_->integer("PRAGMA user_version"); }

  /// The first transaction of this process; `work` also upgrades an older file. Works the log into the file,
  /// and marks the folder as in use. When `work` fails, the next process finds all as this one did.
  void start(const std::function<void()>& work);
  /// A transaction, on the disk when commit() returns. When one of these or a statement in between throws,
  /// roll_back() undoes it, and has what it left in the log taken for nothing.
  void begin();
  void commit();
  void roll_back() noexcept;
  /// Works the log into the file.
  void checkpoint() { log_.checkpoint(); }
  /// The same at the end, so that the file alone is all there is.
  void finish() { log_.close(); }

  /// Runs `read`; what SQLite finds damaged is refused.
  void guarded(const std::function<void()>& read) const;
  /// Throws that the file "is damaged: …" or whatever else it is, with the advice on how to go on.
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
  Log log_;
};

}  // namespace zerosuite::db
