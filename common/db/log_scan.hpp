// Looks into a database's write-ahead log before SQLite does.
//
// SQLite takes the first frame whose checksum is wrong for the end of the log, and says nothing of what
// follows. That is right for the torn end of a last write and wrong for a log that was damaged in its middle:
// then commits that were answered are gone. (https://sqlite.org/fileformat2.html, section 4, "The Write-Ahead
// Log")
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace zerosuite::db {

enum class LogState : std::uint8_t {
  kWhole,     ///< Nothing is missing that ever was committed.
  kMissing,   ///< There is none, or nothing in it: as it should be after a stop in good order, and only then.
  kLastTorn,  ///< The last commit cannot be read. Most likely it never was finished, but nobody can tell.
  kDamaged,   ///< More than one commit is missing, or as good as: the log's own header is wrong.
};

/// What a program notes of its log in a place of its own (Folder::set_note), since the log does not tell that
/// it was removed or cut off behind a commit.
struct LogNote {
  bool open = false;       ///< The process that wrote it has not ended in good order.
  std::int64_t pages = 0;  ///< The least number of pages in the log.
  bool leftovers = false;  ///< What follows them was left by a commit that failed, and was not answered.

  /// One line; of anything else parse() makes a note that says nothing.
  std::string line() const;
  static LogNote parse(std::string_view line);
  friend bool operator==(const LogNote&, const LogNote&) = default;
};

/// Reads a log from end to end; call it before the database is opened. Throws core::Failure StorageError when
/// it cannot be read.
LogState scan_log(const std::filesystem::path& log, const LogNote& note = {});

}  // namespace zerosuite::db
