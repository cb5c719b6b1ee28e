// The least that was given out of each key, in a text file beside the store or elsewhere: it shows when a
// store was restored from an old copy, or has lost its data.
//
// One line "NEXT KEY" for each reservation, appended; a key's last line counts. Now and then all lines are
// merged into one for each key, in order of the keys, so that a key that is not in memory can be found in the
// file (O'Neil et al., "The Log-Structured Merge-Tree", 1996, with two levels). It is not synced with each
// line: after a power cut it may know less than the store, which is no harm, never more.
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

/// Belongs to the loop's thread; a write is one line into the page cache, but for what is named, and a look
/// is some reads from there, for a key that was not used for long.
class HighWaterMarks {
 public:
  using Mark = std::pair<std::string, std::int64_t>;

  /// Reads the file, and leaves it alone. A last line that is torn does not count. Throws core::Failure
  /// StorageError, one line, when it cannot be read or another line is damaged. At most `most` floors are
  /// kept in memory.
  explicit HighWaterMarks(std::filesystem::path path, std::size_t most = 262'144);
  ~HighWaterMarks();
  HighWaterMarks(const HighWaterMarks&) = delete;
  HighWaterMarks& operator=(const HighWaterMarks&) = delete;

  /// Whether there was a file.
  bool found() const { return found_; }
  const std::filesystem::path& path() const { return path_; }
  /// Makes the file, or rewrites it to one line for each key, and syncs it. Throws core::Failure
  /// StorageError.
  void begin();

  /// No value from here on is known to be given out; 0 when nothing is known of the key.
  std::int64_t of(const Key& key) { return of(key.text()); }
  std::int64_t of(const std::string& key);
  /// The floors of keys after this one, by Key::text(); `limit` of them at most, and none when there are no
  /// more. Begins with "".
  std::vector<Mark> after(const std::string& key, std::size_t limit = 500);
  /// How many are in memory.
  std::size_t in_memory() const { return recent_.size(); }

  /// The id of the shared store that this is about; "" when none is known.
  const std::string& state() const { return state_; }
  void set_state(const std::string& id);

  /// Values up to `next` were given out. Nothing when that is known. Now and then, when the file has grown,
  /// it is rewritten and synced.
  void raise(const Key& key, std::int64_t next) { raise(key.text(), next); }
  void raise(const std::string& key, std::int64_t next);
  /// Values from `next` on were not used and are to go back to the store, after a sync(): it will fall below
  /// what is written before.
  void lower(const Key& key, std::int64_t next) { set(key.text(), next); }
  /// Waits until all of the file is on the disk.
  void sync();

  /// Why the last line could not be written; what it says is known nevertheless, and is written with the
  /// next.
  const std::optional<core::Error>& trouble() const { return trouble_; }

 private:
  /// An open file, the beginning of which is in order.
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
  std::map<std::string, std::int64_t> recent_;  // by escaped key: what the ordered part does not say
  std::string state_;
  bool found_ = false;
  File file_;
  std::optional<core::Error> trouble_;
};

}  // namespace zerosuite::id
