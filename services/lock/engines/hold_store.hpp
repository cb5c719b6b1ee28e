// The embedded engine's folder: reads the holds that an earlier process left, and writes batches.
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

/// When a grant is on the disk.
enum class Durability : std::uint8_t {
  kSync,   ///< Before it completes.
  kAsync,  ///< Some milliseconds after it completes.
  kNone,   ///< After a clean stop of the process only.
};

/// What the folder stores besides the holds.
struct Meta {
  Durability durability = Durability::kSync;  ///< Of the run that wrote it.
  bool clean = true;                          ///< That run stopped cleanly.
  Token token_limit = 0;                      ///< Tokens from here on have never been issued.
  std::int64_t max_lease_ms = 0;              ///< No lease that may still run is longer.
  std::int64_t epoch = 0;                     ///< Number of starts with this folder.

  friend bool operator==(const Meta&, const Meta&) = default;
};

/// A hold's row as it should be; null = no row.
using Row = std::shared_ptr<const LockSpec>;

struct Change {
  Row row;
  bool fresh = false;  ///< The file has no row of that token yet.
};

/// Changes that are written together. An empty batch only checks that writing works.
struct Batch {
  std::map<Token, Change> changes;
  std::optional<Meta> meta;
};

/// What the previous process left.
struct Recovered {
  std::optional<Meta> meta;  ///< None in a new folder.
  std::map<Token, Row> rows;
  db::LogState log = db::LogState::kWhole;  ///< Unless kWhole, some of what it left may be missing.
};

/// Owns the folder. Its destructor writes nothing: to the next start that is the same as a crash.
class HoldStore {
 public:
  /// Throws core::Failure StorageError, one line, if the folder cannot be used or its content cannot be
  /// trusted.
  explicit HoldStore(const std::filesystem::path& folder);
  ~HoldStore();

  /// What was found at the start; to be called once.
  Recovered take_recovered() { return std::move(recovered_holds_); }
  /// Begins a run: stores `meta`, and deletes all rows if `forget_rows`. Throws core::Failure StorageError.
  void begin(const Meta& meta, bool forget_rows);
  /// Writes the meta, and then all changes in one transaction; all is on the disk on return. Throws
  /// core::Failure; then none of the changes was written.
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
