// The write-ahead log of a database in a folder of its own, with notes that let the next process detect
// whether it is complete, even when another program has removed, truncated or checkpointed it meanwhile.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "db/database.hpp"
#include "db/folder.hpp"

namespace zerosuite::db {

enum class LogState : std::uint8_t {
  kWhole,     ///< No commit is missing.
  kMissing,   ///< There is no log, or it is empty: correct after a clean stop, and only then.
  kLastTorn,  ///< The last commit cannot be read. Most likely it was never finished, but that is not certain.
  kDamaged,   ///< More than one commit is missing, or the log's header is wrong.
};

/// What a program notes about its log outside of it (Folder::set_note), since the log itself does not show
/// that it was removed, or truncated after a commit.
struct LogNote {
  bool open = false;       ///< The process that wrote it has not stopped cleanly.
  std::int64_t pages = 0;  ///< The minimum number of pages in the log.
  bool leftovers = false;  ///< What follows them was left by a commit that failed and was not acknowledged.

  /// The note as one line; parse() returns a default note for anything else.
  std::string line() const;
  static LogNote parse(std::string_view line);
  friend bool operator==(const LogNote&, const LogNote&) = default;
};

/// Checks a database's write-ahead log before SQLite reads it. SQLite takes the first frame with a wrong
/// checksum for the end of the log and silently ignores what follows. That is right for the torn end of a
/// last write, but wrong for a log damaged in its middle: then acknowledged commits are lost.
/// (https://sqlite.org/fileformat2.html, section 4, "The Write-Ahead Log")
///
/// Reads the whole log; to be called before the database is opened. Throws core::Failure StorageError when it
/// cannot be read.
LogState scan_log(const std::filesystem::path& log, const LogNote& note = {});

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
