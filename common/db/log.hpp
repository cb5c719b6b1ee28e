// The write-ahead log of a database in a folder of its own, watched so that the next process knows whether
// all of it is there: also when it was removed, cut off, or worked into the file by another program
// meanwhile.
#pragma once

#include <filesystem>

#include "db/database.hpp"
#include "db/folder.hpp"
#include "db/log_scan.hpp"

namespace zerosuite::db {

/// Must not outlive the folder and the database. One thread at a time. What fails throws core::Failure
/// StorageError; from the database that is SqliteFailure.
class Log {
 public:
  /// To be made before the file is opened; looks at what the process before left.
  Log(Folder& folder, const std::filesystem::path& file);

  LogState found() const { return found_; }
  /// The process before did not come to its end in good order, or was one that did not say.
  bool was_open() const { return was_open_; }

  /// From now on this process writes to it; noted with the first commit. What was found() is to be kept by
  /// then, for it is not found again.
  void open(Database& database);
  /// Before a transaction: works a long log into the file.
  void prepare();
  /// After a commit.
  void committed();
  /// After a commit that failed and was rolled back: what it left behind is no commit.
  void failed() noexcept;
  /// Works it into the file.
  void checkpoint();
  /// The same, so that the file alone is all there is; nothing may be written then.
  void close();

 private:
  void note(Folder::Reach reach);

  Folder& folder_;
  Database* database_ = nullptr;
  LogState found_ = LogState::kWhole;
  bool was_open_ = false;
  LogNote note_;
  bool failing_ = false;    // the last commit
  std::int64_t pages_ = 0;  // at the last look
};

}  // namespace zerosuite::db
