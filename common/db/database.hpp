// A thin layer over SQLite: a connection and its prepared statements, closed by their destructors.
//
// One thread at a time may use a connection and its statements; which one is the owner's business.
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

/// What SQLite could not do, as StorageError "FILE: what it says".
class SqliteFailure final : public core::Failure {
 public:
  /// With SQLite's extended result code.
  SqliteFailure(const std::string& file, std::string reason, int code)
      : Failure(core::kStorageError, file + ": " + reason), reason_(std::move(reason)), code_(code) {}

  /// What SQLite says, without the file.
  const std::string& reason() const { return reason_; }

  /// The disk is full: it may work again later.
  bool full() const;
  /// The file itself is wrong: damaged, or not what was expected.
  bool damaged() const;

 private:
  std::string reason_;
  int code_;
};

/// One prepared statement. Must be destroyed before its Database. Every member throws SqliteFailure when
/// SQLite reports an error.
class Statement {
 public:
  /// Parameters count from 1, as in SQL. A text is kept by reference: it must live until reset().
  Statement& bind(int position, std::int64_t value);
  Statement& bind(int position, std::string_view value);
  /// Whether there is a row to read now.
  bool step();
  /// Makes it ready for other parameters and another run.
  void reset();
  /// step() to the end, then reset().
  void run();

  /// Columns count from 0; only after step() said true.
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

/// One connection to one file. Works its write-ahead log into the file only when told to, by
/// `PRAGMA wal_checkpoint`: what SQLite does by itself there may fail in silence.
class Database {
 public:
  /// Opens the file, or makes an empty one. It, and what SQLite puts beside it, is for its owner only, also
  /// where others could read it before. Throws SqliteFailure.
  explicit Database(const std::filesystem::path& file);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  Statement prepare(std::string_view sql) const;
  /// Runs one statement to its end.
  void exec(std::string_view sql) const { prepare(sql).run(); }
  /// The first column of the first row; throws core::Failure when there is none.
  std::int64_t integer(std::string_view sql) const;
  std::string text(std::string_view sql) const;
  /// Lets a commit return only when it is on the disk. False when SQLite did not take that.
  bool sync_every_commit() const;
  /// Undoes the open transaction; nothing when there is none, since some failures end it by themselves.
  void roll_back() const noexcept;

  /// How many pages the write-ahead log held after the last commit.
  int log_pages() const { return log_pages_; }

 private:
  struct Close {
    void operator()(sqlite3* connection) const;
  };

  int log_pages_ = 0;
  std::unique_ptr<sqlite3, Close> connection_;
};

}  // namespace zerosuite::db
