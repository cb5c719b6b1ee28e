#include "db/log.hpp"

namespace zerosuite::db {
namespace {

// A log this long is worked into the file; SQLite's own default.
constexpr int kLongLog = 1000;

}  // namespace

Log::Log(Folder& folder, const std::filesystem::path& file) : folder_(folder) {
  const LogNote before = LogNote::parse(folder.note());
  was_open_ = before.open;
  found_ = scan_log(file.string() + "-wal", before);
  // What cannot be read of it stays behind what is written now, until the log begins anew.
  note_.leftovers = before.leftovers || found_ == LogState::kLastTorn || found_ == LogState::kDamaged;
}

void Log::open(Database& database) {
  database_ = &database;
  note_.open = true;
}

// While commits fail it goes on where it is: a full disk is to be full for all, not for every other commit.
void Log::prepare() {
  if ((note_.leftovers && !failing_) || database_->log_pages() > kLongLog) checkpoint();
}

void Log::committed() {
  const std::int64_t pages = database_->log_pages();
  failing_ = false;
  if (pages <= pages_) note_.leftovers = false;  // it has begun anew: what is behind it is of another round
  pages_ = note_.pages = pages;
  note(Folder::Reach::kWritten);
}

// Where that cannot be noted either, the next start takes it for a commit that was lost: safe, if slow.
void Log::failed() noexcept {
  note_.leftovers = failing_ = true;
  try {
    note(Folder::Reach::kSynced);
  } catch (const core::Failure&) {
  }
}

// It may begin anew with the next commit, so until then nothing can be said of its length.
void Log::checkpoint() {
  note_.pages = 0;
  note(Folder::Reach::kSynced);
  pages_ = database_->log_pages();
  database_->exec("PRAGMA wal_checkpoint(PASSIVE)");
}

// Noted first: an empty log that is not noted as closed counts as lost.
void Log::close() {
  note_ = {};
  note(Folder::Reach::kSynced);
  database_->exec("PRAGMA wal_checkpoint(TRUNCATE)");
}

void Log::note(Folder::Reach reach) { folder_.set_note(note_.line(), reach); }

}  // namespace zerosuite::db
