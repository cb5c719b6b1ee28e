// What was given out at least, in a text file beside the store or elsewhere: by it a store that was put back
// from an old copy is found out.
//
// One line "NEXT KEY" for each reservation, appended; a key's last line counts. It is not synced with each:
// after a power cut it may know less than the store, which is no harm, never more.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "core/error.hpp"
#include "id/store.hpp"

namespace zerosuite::id {

/// Belongs to the loop's thread; a write is one line into the page cache, but for what is named.
class Floors {
 public:
  /// Reads the file, and leaves it alone. A last line that is torn does not count. Throws core::Failure
  /// StorageError, one line, when it cannot be read or another line is damaged.
  explicit Floors(std::filesystem::path path);
  ~Floors();
  Floors(const Floors&) = delete;
  Floors& operator=(const Floors&) = delete;

  /// Whether there was a file.
  bool found() const { return found_; }
  const std::filesystem::path& path() const { return path_; }
  /// Makes the file, or rewrites it to one line for each key, and syncs it. Throws core::Failure
  /// StorageError.
  void begin();

  /// No value from here on is known to be given out; 0 when nothing is known of the key.
  std::int64_t of(const Key& key) const;
  /// By Key::text().
  const std::map<std::string, std::int64_t>& all() const { return floors_; }

  /// Values up to `next` were given out. Nothing when that is known. Now and then, when the file has grown,
  /// it is rewritten and synced.
  void raise(const Key& key, std::int64_t next);
  /// Values from `next` on were not used and are to go back to the store, after a sync(): it will fall below
  /// what is written before.
  void lower(const Key& key, std::int64_t next);
  /// Waits until all of the file is on the disk.
  void sync();

  /// Why the last line could not be written; what it says is known nevertheless, and is written with the
  /// next.
  const std::optional<core::Error>& trouble() const { return trouble_; }

 private:
  void read();
  void take(const std::string& line, std::size_t number);
  void set(const std::string& key, std::int64_t next);
  void rewrite();
  void write(const std::string& text);
  [[noreturn]] void fail(const std::string& what) const;

  const std::filesystem::path path_;
  std::map<std::string, std::int64_t> floors_;
  bool found_ = false;
  int file_ = -1;
  std::size_t size_ = 0;     // of the file
  std::size_t content_ = 0;  // what it was when it was last rewritten
  std::optional<core::Error> trouble_;
};

}  // namespace zerosuite::id
