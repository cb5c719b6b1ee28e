// Group commit (DeWitt et al., "Implementation Techniques for Main Memory Database Systems", SIGMOD 1984):
// what is asked while one transaction is on its way to the disk goes into the next, and is answered once that
// is there.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/function.hpp"
#include "id/stores/sqlite_file.hpp"
#include "id/stores/sqlite_tables.hpp"
#include "net/offload.hpp"
#include "net/timers.hpp"

namespace zerosuite::id::stores {

/// Belongs to the loop's thread; file and tables are its job's while a transaction is on its way. To be
/// destroyed when it is idle, or after the offload.
class SqliteCommits {
 public:
  /// Why nothing of a transaction was answered well.
  struct Trouble {
    core::Error error;
    /// The disk failed rather than was full: nobody can tell what is on it.
    bool doubtful = false;
  };
  struct Operation {
    core::MoveFunction<void(SqliteTables&)> work;     ///< In the transaction, on the offload's thread.
    core::MoveFunction<void(const Trouble*)> answer;  ///< Null: it is on the disk.
  };

  SqliteCommits(net::Timers& timers, net::Offload& offload, SqliteFile& file, SqliteTables& tables);

  /// `changed` hears when nothing can be written any more, why not when that changes, and nullopt when it
  /// can.
  void on_change(std::function<void(const std::optional<core::Error>& trouble)> changed) {
    changed_ = std::move(changed);
  }
  /// Answers in order of the calls. While nothing can be written, before it returns.
  void add(Operation operation);

  /// Null when it can be written, as far as is known. A full disk is tried again each second; one that failed
  /// is not trusted any more.
  const Trouble* trouble() const { return trouble_ ? &*trouble_ : nullptr; }
  /// Whether no transaction is on its way.
  bool idle() const { return !flying_; }
  /// Writes what is outstanding, all in this call; it must be idle.
  void close();

 private:
  void schedule();
  void flush();
  void write() noexcept;
  void land();
  void succeed();
  void fail();

  net::Offload& offload_;
  SqliteFile& file_;
  SqliteTables& tables_;

  std::vector<Operation> gathering_;
  std::vector<Operation> flight_;
  bool flying_ = false;
  struct Failure {
    std::string message;
    bool full = false;
  };
  std::optional<Failure> failure_;  // the job's word
  std::optional<Trouble> trouble_;
  std::function<void(const std::optional<core::Error>&)> changed_;
  net::Timer flush_;
};

}  // namespace zerosuite::id::stores
