// A thin layer over SQLite: a connection and its prepared statements, closed by their destructors.
//
// One thread at a time may use a connection and its statements; the owner must ensure that.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "core/error.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace zerosuite::db {

/// An error reported by SQLite, as StorageError "FILE: SQLite's message".
class SqliteFailure final : public core::Failure {
 public:
  /// With SQLite's extended result code.
  SqliteFailure(const std::string& file, std::string reason, int code)
      : Failure(core::kStorageError, file + ": " + reason), reason_(std::move(reason)), code_(code) {}

  /// SQLite's message, without the file.
  const std::string& reason() const { return reason_; }

  /// The disk is full: it may work again later.
  bool full() const;
  /// The file itself is bad: damaged, or not a database of the expected form.
  bool damaged() const;

 private:
  std::string reason_;
  int code_;
};

/// One prepared statement. Must be destroyed before its Database. Every member throws SqliteFailure when
/// SQLite reports an error.
class Statement {
 public:
  /// Parameters count from 1, as in SQL. A text is not copied: it must live until reset().
  Statement& bind(int position, std::int64_t value);
  Statement& bind(int position, std::string_view value);
  /// Returns whether there is a row to read.
  bool step();
  /// Prepares it for new parameters and another run.
  void reset();
  /// step() to the end, then reset().
  void run();

  /// Columns count from 0; only after step() has returned true.
  std::int64_t integer(int column) const;
  std::string text(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };

  Statement(sqlite3& connection, std::string_view sql);

  sqlite3& connection_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// One connection to one file. Its write-ahead log is checkpointed only by an explicit `PRAGMA
/// wal_checkpoint`: SQLite's automatic checkpoints may fail silently.
class Database {
 public:
  /// Opens the file, or creates an empty one. Restricts it and SQLite's files beside it to their owner, even
  /// if others could read them before. Throws SqliteFailure.
  explicit Database(const std::filesystem::path& file);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  Statement prepare(std::string_view sql) const;
  /// Runs one statement to its end.
  void exec(std::string_view sql) const { prepare(sql).run(); }
  /// The first column of the first row; throws core::Failure when there is none.
  std::int64_t integer(std::string_view sql) const;
  std::string text(std::string_view sql) const;
  /// Makes every commit return only when it is on the disk. Returns false when SQLite did not accept that.
  bool sync_every_commit() const;
  /// Rolls the open transaction back, if there is one: some failures end it by themselves.
  void roll_back() const noexcept;

  /// Number of pages in the write-ahead log after the last commit.
  int log_pages() const { return log_pages_; }

 private:
  struct Close {
    void operator()(sqlite3* connection) const;
  };

  int log_pages_ = 0;
  std::unique_ptr<sqlite3, Close> connection_;
};

}  // namespace zerosuite::db
