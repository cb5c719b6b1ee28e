#include "db/write_ahead_log.hpp"

namespace zerosuite::db {
namespace {

// Pages after which a log is checkpointed; SQLite's own default.
constexpr int kLongLog = 1000;

}  // namespace

WriteAheadLog::WriteAheadLog(Folder& folder, const std::filesystem::path& file) : folder_(folder) {
  const LogNote before = LogNote::parse(folder.note());
  was_open_ = before.open;
  found_ = scan_log(file.string() + "-wal", before);
  // Its unreadable part remains after what is written now, until the log restarts.
  note_.leftovers = before.leftovers || found_ == LogState::kLastTorn || found_ == LogState::kDamaged;
}

void WriteAheadLog::open(Database& database) {
  database_ = &database;
  note_.open = true;
}

// While commits fail the log is not checkpointed: a full disk must fail every commit, not every other one.
void WriteAheadLog::prepare() {
  if ((note_.leftovers && !failing_) || database_->log_pages() > kLongLog) checkpoint();
}

void WriteAheadLog::committed() {
  const std::int64_t pages = database_->log_pages();
  failing_ = false;
  if (pages <= pages_) note_.leftovers = false;  // it has restarted: what follows is of an earlier round
  pages_ = note_.pages = pages;
  note(Folder::Reach::kWritten);
}

// If that cannot be noted either, the next start takes the leftovers for a lost commit: safe, but slow.
void WriteAheadLog::failed() noexcept {
  note_.leftovers = failing_ = true;
  try {
    note(Folder::Reach::kSynced);
  } catch (const core::Failure&) {
  }
}

// The log may restart with the next commit, so until then its length is unknown.
void WriteAheadLog::checkpoint() {
  note_.pages = 0;
  note(Folder::Reach::kSynced);
  pages_ = database_->log_pages();
  database_->exec("PRAGMA wal_checkpoint(PASSIVE)");
}

// Noted first: an empty log that is not noted as closed counts as lost.
void WriteAheadLog::close() {
  note_ = {};
  note(Folder::Reach::kSynced);
  database_->exec("PRAGMA wal_checkpoint(TRUNCATE)");
}

void WriteAheadLog::note(Folder::Reach reach) { folder_.set_note(note_.line(), reach); }

}  // namespace zerosuite::db
