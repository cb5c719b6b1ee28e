// A lower bound on the next value of each key (its floor), in a text file beside the store or elsewhere: it
// reveals a store that was restored from an old copy or has lost its data.
//
// Each reservation appends a line "NEXT KEY"; a key's last line counts. From time to time the lines are
// merged into one per key, sorted by key, so that a key that is not in memory can be found by binary search
// (O'Neil et al., "The Log-Structured Merge-Tree", 1996, with two levels). The file is not synced after each
// line: after a power cut it may have lower values than the store, which is harmless, but never higher ones.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "id/stores/store.hpp"

namespace zerosuite::id {

/// Belongs to the loop's thread. Unless noted otherwise, a write appends one line to the page cache; a
/// look-up of a key that is not in memory takes a few reads from it.
class HighWaterMarks {
 public:
  using Mark = std::pair<std::string, std::int64_t>;

  /// Reads the file without changing it, and ignores a torn last line. Throws core::Failure StorageError, one
  /// line, if it cannot be read or another line is damaged. At most `most` floors are kept in memory.
  explicit HighWaterMarks(std::filesystem::path path, std::size_t most = 262'144);
  ~HighWaterMarks();
  HighWaterMarks(const HighWaterMarks&) = delete;
  HighWaterMarks& operator=(const HighWaterMarks&) = delete;

  /// Whether the file existed.
  bool found() const { return found_; }
  const std::filesystem::path& path() const { return path_; }
  /// Creates the file, or rewrites it to one line per key, and syncs it. Throws core::Failure StorageError.
  void begin();

  /// The floor of a key: no value ≥ this is known to be given out; 0 for an unknown key.
  std::int64_t of(const Key& key) { return of(key.text()); }
  std::int64_t of(const std::string& key);
  /// The floors of the keys that sort after this one, by Key::text(), at most `limit`; empty at the end. Pass
  /// "" to start.
  std::vector<Mark> after(const std::string& key, std::size_t limit = 500);
  /// The number of floors in memory.
  std::size_t in_memory() const { return recent_.size(); }

  /// The id of the shared store that the floors belong to; "" if none is known.
  const std::string& state() const { return state_; }
  void set_state(const std::string& id);

  /// Values below `next` were given out. Does nothing if the floor is that high already. Rewrites and syncs
  /// the file when it has grown enough.
  void raise(const Key& key, std::int64_t next) { raise(key.text(), next); }
  void raise(const std::string& key, std::int64_t next);
  /// Values from `next` on were not used. Call sync() before returning them to the store, which then falls
  /// below the floors written earlier.
  void lower(const Key& key, std::int64_t next) { set(key.text(), next); }
  /// Blocks until the whole file is on the disk.
  void sync();

  /// Why the last line could not be written; its floor counts in memory, and is written with the next line.
  const std::optional<core::Error>& trouble() const { return trouble_; }

 private:
  /// An open file whose first `ordered` bytes are sorted.
  struct File {
    int descriptor = -1;
    std::size_t size = 0;
    std::size_t ordered = 0;
  };
  struct Line {
    std::string key;  // escaped
    std::int64_t next = 0;
  };

  void read();
  Line parse(const std::string& line, std::size_t number) const;
  void set(const std::string& key, std::int64_t next);
  void rewrite();
  void merge_into(File& fresh);
  std::size_t find(const std::string& key) const;
  std::optional<Line> line_at(std::size_t offset, std::size_t* end) const;
  [[noreturn]] void fail(const std::string& what) const;

  const std::filesystem::path path_;
  const std::size_t most_;
  std::map<std::string, std::int64_t> recent_;  // by escaped key: newer than the ordered part
  std::string state_;
  bool found_ = false;
  File file_;
  std::optional<core::Error> trouble_;
};

}  // namespace zerosuite::id
