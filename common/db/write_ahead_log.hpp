// The write-ahead log of a database in a folder of its own, with notes that let the next process detect
// whether it is complete, even when another program has removed, truncated or checkpointed it meanwhile.
#pragma once

#include <filesystem>

#include "db/database.hpp"
#include "db/folder.hpp"
#include "db/log_scan.hpp"

namespace zerosuite::db {

/// Must not outlive the folder and the database. One thread at a time. Failures are core::Failure
/// StorageError; from the database, SqliteFailure.
class WriteAheadLog {
 public:
  /// To be created before the file is opened; checks the log that the previous process left.
  WriteAheadLog(Folder& folder, const std::filesystem::path& file);

  LogState found() const { return found_; }
  /// The previous process did not stop cleanly, according to its note.
  bool was_open() const { return was_open_; }

  /// From now on this process writes to the log; noted with the first commit. The caller must have stored
  /// what follows from found() by then: the next process will not find it again.
  void open(Database& database);
  /// Before a transaction: checkpoints a long log.
  void prepare();
  /// After a commit.
  void committed();
  /// After a commit that failed and was rolled back: notes that what it left in the log is not a commit.
  void failed() noexcept;
  /// Checkpoints the log into the file.
  void checkpoint();
  /// The same at the end, leaving only the file; nothing may be written after it.
  void close();

 private:
  void note(Folder::Reach reach);

  Folder& folder_;
  Database* database_ = nullptr;
  LogState found_ = LogState::kWhole;
  bool was_open_ = false;
  LogNote note_;
  bool failing_ = false;    // the last commit failed
  std::int64_t pages_ = 0;  // at the last commit or checkpoint
};

}  // namespace zerosuite::db
