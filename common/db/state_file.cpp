#include "db/state_file.hpp"

#include <system_error>
#include <utility>

namespace zerosuite::db {
namespace {

namespace fs = std::filesystem;

}  // namespace

StateFile::StateFile(const fs::path& folder, StateFormat format)
    : format_(std::move(format)),
      folder_(folder),
      path_(folder_.path() / format_.file),
      log_(folder_, path_) {}

bool StateFile::gone() const {
  std::error_code error;
  const auto size = fs::file_size(path_, error);
  return known() && (error || size == 0);
}

void StateFile::open(IfGone if_gone) {
  if (if_gone == IfGone::kRefuse && gone()) refuse("is gone, though the folder was in use");
  guarded([&] {
    database_.emplace(path_);
    // The folder's lock keeps others out, so the log's index may live in memory.
    database_->exec("PRAGMA locking_mode = EXCLUSIVE");
    if (!database_->sync_every_commit())
      refuse("is not synced with every commit: PRAGMA synchronous = FULL was not taken");
    if (is_new(if_gone)) make();
    check();
    if (database_->text("PRAGMA journal_mode = WAL") != "wal") refuse("cannot have a write-ahead log");
    log_.open(*database_);
  });
}

bool StateFile::is_new(IfGone if_gone) const {
  return (!known() || if_gone == IfGone::kMakeAnew) && database_->integer("PRAGMA application_id") == 0 &&
         version() == 0 && database_->integer("SELECT count(*) FROM sqlite_schema") == 0;
}

// In one transaction, before the log is switched on, so that a crash leaves no half-made file.
void StateFile::make() const {
  database_->exec("BEGIN IMMEDIATE");
  database_->exec("PRAGMA application_id = " + std::to_string(format_.application_id));
  database_->exec("PRAGMA user_version = " + std::to_string(format_.version));
  for (const std::string_view statement : format_.schema) database_->exec(statement);
  database_->exec("COMMIT");
}

void StateFile::check() const {
  if (database_->integer("PRAGMA application_id") != format_.application_id)
    refuse("is not " + std::string(format_.kind));
  if (version() < format_.first_version || version() > format_.version)
    fail("was written by another version of this program" + format_.version_advice);
  if (const std::string found = database_->text("PRAGMA quick_check(1)"); found != "ok")
    refuse("is damaged: " + found.substr(0, found.find('\n')));
}

// No checkpoint before `work`: a checkpoint notes that nothing is missing from the log, and only `work`
// stores the consequences of what is missing.
void StateFile::start(const std::function<void()>& work) {
  guarded([&] {
    database_->exec("BEGIN IMMEDIATE");
    work();
    if (version() != format_.version)
      database_->exec("PRAGMA user_version = " + std::to_string(format_.version));
    commit();
    checkpoint();
  });
  if (!known()) folder_.set_mark(format_.mark);
}

void StateFile::begin() {
  log_.prepare();
  database_->exec("BEGIN IMMEDIATE");
}

void StateFile::commit() {
  database_->exec("COMMIT");
  log_.committed();
}

void StateFile::roll_back() noexcept {
  database_->roll_back();
  log_.failed();
}

void StateFile::guarded(const std::function<void()>& read) const {
  try {
    read();
  } catch (const SqliteFailure& failure) {
    if (!failure.damaged()) throw;
    refuse(failure.reason());
  }
}

void StateFile::refuse(const std::string& what) const { fail(what + format_.advice); }

void StateFile::fail(const std::string& message) const {
  throw core::Failure(core::kStorageError, path_.string() + " " + message);
}

}  // namespace zerosuite::db
