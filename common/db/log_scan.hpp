// Checks a database's write-ahead log before SQLite reads it.
//
// SQLite takes the first frame with a wrong checksum for the end of the log and silently ignores what
// follows. That is right for the torn end of a last write, but wrong for a log damaged in its middle: then
// acknowledged commits are lost. (https://sqlite.org/fileformat2.html, section 4, "The Write-Ahead Log")
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

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

/// Reads the whole log; to be called before the database is opened. Throws core::Failure StorageError when it
/// cannot be read.
LogState scan_log(const std::filesystem::path& log, const LogNote& note = {});

}  // namespace zerosuite::db
