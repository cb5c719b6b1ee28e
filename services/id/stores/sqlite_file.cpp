#include "id/stores/sqlite_file.hpp"

#include <string_view>
#include <system_error>

namespace zerosuite::id::stores {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kApplicationId = 0x5a534944;  // "ZSID"
constexpr std::int64_t kVersion = 2;
constexpr std::string_view kMark = "zerosuite-id";

// `base`: the key's next value was set to that by hand, so it does not fall below it; `given`: what had been
// given out before that.
constexpr std::string_view kCounterTable =
    "CREATE TABLE counter(key TEXT PRIMARY KEY, next INTEGER NOT NULL, base INTEGER NOT NULL, "
    "given INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID";
constexpr std::string_view kTagTable =
    "CREATE TABLE tag(name TEXT PRIMARY KEY, step INTEGER, delta INTEGER, remainder INTEGER, max INTEGER, "
    "description TEXT) WITHOUT ROWID";
constexpr std::string_view kSchema[] = {
    kCounterTable,
    kTagTable,
    "CREATE TABLE worker(worker INTEGER PRIMARY KEY, epoch INTEGER, owner TEXT, run INTEGER)",
    "CREATE TABLE pin(name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID",
    "CREATE TABLE meta(id INTEGER PRIMARY KEY, runs INTEGER, floored INTEGER, probes INTEGER)",
    "INSERT INTO meta VALUES(1, 0, 0, 0)"};

// From version 1, which did not keep what was given out before a key was raised: it cannot be told from what
// was not.
constexpr std::string_view kFromVersion1[] = {
    "BEGIN IMMEDIATE", "ALTER TABLE counter ADD COLUMN given INTEGER NOT NULL DEFAULT 0",
    "UPDATE counter SET given = next", "PRAGMA user_version = 2", "COMMIT"};

db::Folder locked(const fs::path& folder) {
  try {
    return db::Folder(folder);
  } catch (const db::FolderInUse& failure) {
    throw core::Failure(core::kWorkerIdInUse, std::string(failure.what()) + ", which has its worker ids");
  }
}

}  // namespace

SqliteFile::SqliteFile(const fs::path& folder, bool accept_regressed)
    : folder_(locked(folder)),
      path_(folder_.path() / "ids.db"),
      accept_regressed_(accept_regressed),
      log_(folder_, path_) {
  look();
  try {
    open();
  } catch (const db::SqliteFailure& failure) {
    if (!failure.damaged()) throw;
    refuse(failure.reason());
  }
  if (folder_.mark().empty()) folder_.set_mark(kMark);
}

// A last commit that is torn was not answered; were it otherwise, the floors would tell.
void SqliteFile::look() const {
  if (accept_regressed_) return;
  std::error_code error;
  const auto size = fs::file_size(path_, error);
  if ((error || size == 0) && !folder_.mark().empty())
    refuse_regressed("is gone, though the folder was in use");
  if (log_.found() == db::LogState::kMissing && log_.was_open())
    refuse_regressed("has lost its write-ahead log since a crash: what was given out last may be missing");
  if (log_.found() == db::LogState::kDamaged)
    refuse_regressed("has a damaged write-ahead log: what was given out last is missing");
}

void SqliteFile::open() {
  database_.emplace(path_);
  // The folder's lock keeps others out, so the log's index may live in memory.
  database_->exec("PRAGMA locking_mode = EXCLUSIVE");
  if (!database_->sync_every_commit())
    refuse("is not synced with every commit: PRAGMA synchronous = FULL was not taken");
  if (is_new()) make();
  if (database_->integer("PRAGMA application_id") != kApplicationId) refuse("is not a database of ids");
  const std::int64_t version = database_->integer("PRAGMA user_version");
  if (version != kVersion && version != 1)
    throw core::Failure(core::kStorageError,
                        path_.string() + " was written by another version of this program");
  if (const std::string found = database_->text("PRAGMA quick_check(1)"); found != "ok")
    refuse("is damaged: " + found.substr(0, found.find('\n')));
  if (database_->text("PRAGMA journal_mode = WAL") != "wal") refuse("cannot have a write-ahead log");
  log_.open(*database_);
  if (version == 1)
    for (const std::string_view statement : kFromVersion1) database_->exec(statement);
  database_->exec("UPDATE meta SET runs = runs + 1");
  log_.committed();
  run_ = database_->integer("SELECT runs FROM meta");
}

bool SqliteFile::is_new() const {
  return (folder_.mark().empty() || accept_regressed_) && database_->integer("PRAGMA application_id") == 0 &&
         database_->integer("PRAGMA user_version") == 0 &&
         database_->integer("SELECT count(*) FROM sqlite_schema") == 0;
}

// In one transaction, before the log is switched on: there is no half-made file to find after a crash.
void SqliteFile::make() const {
  database_->exec("BEGIN IMMEDIATE");
  database_->exec("PRAGMA application_id = " + std::to_string(kApplicationId));
  database_->exec("PRAGMA user_version = " + std::to_string(kVersion));
  for (const std::string_view statement : kSchema) database_->exec(statement);
  database_->exec("COMMIT");
}

void SqliteFile::begin() {
  log_.prepare();
  database_->exec("BEGIN IMMEDIATE");
}

void SqliteFile::commit() {
  database_->exec("COMMIT");
  log_.committed();
}

void SqliteFile::roll_back() noexcept {
  database_->roll_back();
  log_.failed();
}

void SqliteFile::finish() { log_.close(); }

void SqliteFile::refuse(const std::string& what) const {
  throw core::Failure(
      core::kStorageError,
      path_.string() + " " + what +
          "; to go on, move it away and start with --accept-regressed, which begins above what "
          "the floor file says was given out");
}

void SqliteFile::refuse_regressed(const std::string& what) const {
  throw core::Failure(core::kStoreRegressed,
                      path_.string() + " " + what +
                          "; to go on, start with --accept-regressed, which begins above what the floor file "
                          "says was given out");
}

}  // namespace zerosuite::id::stores
