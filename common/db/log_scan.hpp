// Looks into a database's write-ahead log before SQLite does.
//
// SQLite takes the first frame whose checksum is wrong for the end of the log, and says nothing of what
// follows. That is right for the torn end of a last write and wrong for a log that was damaged in its middle:
// then commits that were answered are gone. (https://sqlite.org/fileformat2.html, section 4, "The Write-Ahead
// Log")
#pragma once

#include <cstdint>
#include <filesystem>

namespace zerosuite::db {

enum class LogState : std::uint8_t {
  kWhole,     ///< Nothing is missing that ever was committed.
  kLastTorn,  ///< The last commit cannot be read. Most likely it never was finished, but nobody can tell.
  kDamaged,   ///< More than one commit is missing, or as good as: the log's own header is wrong.
};

/// Reads a log from end to end; call it before the database is opened. A log that is not there is whole.
/// Throws core::Failure StorageError when it cannot be read.
LogState scan_log(const std::filesystem::path& log);

}  // namespace zerosuite::db
