#include "db/database.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

namespace zerosuite::db {
namespace {

SqliteFailure failure_of(sqlite3* connection) {
  return {sqlite3_db_filename(connection, "main"), sqlite3_errmsg(connection),
          sqlite3_extended_errcode(connection)};
}

int note_pages(void* pages, sqlite3*, const char*, int count) {
  *static_cast<int*>(pages) = count;
  return SQLITE_OK;
}

int primary(int code) { return code & 0xff; }

// SQLite gives its log the permissions of the file. Failures are ignored here: SQLite will report them.
void make_private(const std::filesystem::path& file) {
  const int made = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (made >= 0) ::close(made);
  for (const char* beside : {"", "-wal", "-journal", "-shm"}) ::chmod((file.string() + beside).c_str(), 0600);
}

}  // namespace

bool SqliteFailure::full() const { return primary(code_) == SQLITE_FULL; }

bool SqliteFailure::damaged() const {
  const int code = primary(code_);
  return code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_FORMAT || code == SQLITE_ERROR;
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Statement::Statement(sqlite3& connection, std::string_view sql) : connection_(connection) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(&connection, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) throw failure_of(&connection);
  statement_.reset(statement);
}

Statement& Statement::bind(int position, std::int64_t value) {
  if (sqlite3_bind_int64(statement_.get(), position, value) != SQLITE_OK) throw failure_of(&connection_);
  return *this;
}

Statement& Statement::bind(int position, std::string_view value) {
  const char* text = value.data() != nullptr ? value.data() : "";  // null would bind NULL
  if (sqlite3_bind_text64(statement_.get(), position, text, value.size(), SQLITE_STATIC, SQLITE_UTF8) !=
      SQLITE_OK)
    throw failure_of(&connection_);
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  const SqliteFailure failure = failure_of(&connection_);  // before the reset, which may replace the message
  sqlite3_reset(statement_.get());
  throw failure;
}

void Statement::reset() { sqlite3_reset(statement_.get()); }

void Statement::run() {
  while (step()) {
  }
  reset();
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }

std::string Statement::text(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return bytes != nullptr ? std::string(bytes, size) : std::string();
}

void Database::Close::operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }

Database::Database(const std::filesystem::path& file) {
  make_private(file);
  sqlite3* connection = nullptr;
  const int code = sqlite3_open_v2(
      file.c_str(), &connection,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  connection_.reset(connection);
  if (code != SQLITE_OK)
    throw SqliteFailure(file.string(), connection ? sqlite3_errmsg(connection) : sqlite3_errstr(code), code);
  // Closing must not touch the files: after a failed write they are to stay as they are.
  sqlite3_db_config(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_wal_hook(connection, note_pages, &log_pages_);  // instead of the automatic checkpoint
}

Statement Database::prepare(std::string_view sql) const { return {*connection_, sql}; }

std::int64_t Database::integer(std::string_view sql) const {
  Statement statement = prepare(sql);
  if (!statement.step()) throw core::Failure(core::kStorageError, std::string(sql) + ": no row");
  return statement.integer(0);
}

std::string Database::text(std::string_view sql) const {
  Statement statement = prepare(sql);
  if (!statement.step()) throw core::Failure(core::kStorageError, std::string(sql) + ": no row");
  return statement.text(0);
}

bool Database::sync_every_commit() const {
  constexpr std::int64_t kFull = 2;
  exec("PRAGMA synchronous = FULL");
  return integer("PRAGMA synchronous") == kFull;
}

void Database::roll_back() const noexcept {
  if (sqlite3_get_autocommit(connection_.get()) == 0)
    sqlite3_exec(connection_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

}  // namespace zerosuite::db
