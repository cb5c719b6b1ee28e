// The tables of the SQLite store and the operations on them, each inside a transaction that the caller has
// begun.
//
// Every call checks before it writes: a call that is refused changes nothing. All throw db::SqliteFailure if
// SQLite fails. One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "db/state_file.hpp"
#include "id/stores/store.hpp"

namespace zerosuite::id::stores {

class SqliteTables {
 public:
  static db::StateFormat format();

  /// `file` is open and has that format. Counts this start, so that worker ids of this process are
  /// distinguished from those of earlier ones. Throws core::Failure StorageError if the file cannot be
  /// written.
  explicit SqliteTables(db::StateFile& file);
  ~SqliteTables();

  core::Result<Reserved> reserve(const ReserveRequest& ask);
  bool give_back(const Key& key, const Range& unused);

  core::Result<Tag> create_tag(const Tag& tag);
  core::Result<Tag> update_tag(const std::string& name, const TagChange& change);
  core::Result<Tag> delete_tag(const std::string& name);
  core::Result<Tag> tag(const std::string& name);
  std::vector<Tag> tags(const TagPage& page);

  core::Result<Lease> claim(const Claim& claim);
  bool release(const Claim& claim, const Lease& lease);

  std::string pin(const std::string& name, const std::string& value, Store::Pin how);

  /// The next value of the key with that Key::text(); 0 if it is unknown.
  std::int64_t next(const std::string& key);
  /// Raises the next value to at least `floor`; give_back() does not lower it below that.
  void raise(const std::string& key, std::int64_t floor);

  /// Whether a floor file was ever used with these tables.
  bool floored();
  void set_floored();
  /// Writes a row, to check that writing works.
  void probe();

 private:
  struct Statements;
  struct WorkerRow;

  std::optional<Tag> find_tag(const std::string& name);
  void put_tag(const Tag& tag);
  core::Result<std::int64_t> lower(const std::string& tag, std::int64_t floor);
  std::optional<WorkerRow> find_worker(std::int64_t id);
  std::optional<std::int64_t> choose_worker(const Claim& claim);

  std::int64_t run_ = 0;  // the number of starts on this folder, including this one
  std::unique_ptr<Statements> statements_;
};

}  // namespace zerosuite::id::stores
