// The embedded engine's folder: which holds an earlier process left in it, and the writing of batches.
//
// One thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "db/state_file.hpp"
#include "lock/engine.hpp"

namespace zerosuite::lock::engines {

/// When a grant counts as kept.
enum class Durability : std::uint8_t {
  kSync,   ///< Once it is on the disk, before it is answered.
  kAsync,  ///< Some milliseconds after it is answered.
  kNone,   ///< When the process stops in good order.
};

/// What the folder knows beside the holds.
struct Meta {
  Durability durability = Durability::kSync;  ///< Of the run that wrote it.
  bool clean = true;                          ///< That run came to its end in good order.
  Token token_limit = 0;                      ///< No token from here on was ever given out.
  std::int64_t max_lease_ms = 0;              ///< No lease that may still run is longer.
  std::int64_t epoch = 0;                     ///< How often the folder was started on.

  friend bool operator==(const Meta&, const Meta&) = default;
};

/// A hold's row as it is to be; null when there is to be none.
using Row = std::shared_ptr<const LockSpec>;

struct Change {
  Row row;
  bool fresh = false;  ///< The file has had no row of that token yet.
};

/// What is written together. Empty means: nothing but a sign that writing works.
struct Batch {
  std::map<Token, Change> changes;
  std::optional<Meta> meta;
};

/// What the process before left.
struct Recovered {
  std::optional<Meta> meta;  ///< None in a new folder.
  std::map<Token, Row> rows;
  db::LogState log = db::LogState::kWhole;  ///< Unless whole, it may have left more.
};

/// Owns the folder while it lives. Leaves the files alone when it is destroyed: that is the same as a crash.
class HoldStore {
 public:
  /// Throws core::Failure StorageError, one line, when the folder cannot be used, or what is in it cannot be
  /// trusted.
  explicit HoldStore(const std::filesystem::path& folder);
  ~HoldStore();

  /// What was there at the start, once.
  Recovered take_recovered() { return std::move(recovered_holds_); }
  /// Makes the folder this run's: `meta` is kept, and the rows too unless they are to be forgotten. Throws
  /// core::Failure StorageError.
  void begin(const Meta& meta, bool forget_rows);
  /// The meta, and then all changes in one transaction, on the disk when it returns. Throws core::Failure;
  /// none of the changes was written then.
  void write(const Batch& batch);

 private:
  struct Statements;

  void read_recovered();
  std::map<Token, Row> read_rows() const;
  void upgrade();
  void keep(const Meta& meta);
  void commit(const std::map<Token, Change>& changes);
  void put(const Meta& meta);
  void put(Token token, const LockSpec& spec);

  db::StateFile file_;
  Recovered recovered_holds_;
  std::unique_ptr<Statements> statements_;
};

}  // namespace zerosuite::lock::engines
