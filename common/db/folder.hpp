// A folder for data, used by one process at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/error.hpp"

namespace zerosuite::db {

/// Another process uses the folder: StorageError "FOLDER is in use by process ID".
class FolderInUse final : public core::Failure {
 public:
  explicit FolderInUse(const std::string& message) : Failure(core::kStorageError, message) {}
};

/// Holds the lock on the folder's file `lock` while it lives. The first line of that file is a mark that
/// stays, the second the process, the third a note that changes. Blocks for as long as the disk takes.
class Folder {
 public:
  /// Makes the folder, for its owner only, when there is none. Throws FolderInUse, and core::Failure
  /// StorageError, one line, when it is not a folder, cannot be made, or cannot be written.
  explicit Folder(std::filesystem::path path);
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// Empty until somebody set one, in this process or an earlier one.
  const std::string& mark() const { return mark_; }
  /// Sets the mark, one line, and waits until it and the names of the folder's files are on the disk. Throws
  /// core::Failure StorageError.
  void set_mark(std::string_view mark);

  /// What was noted last, in this process or an earlier one; empty when nothing ever was.
  const std::string& note() const { return note_; }
  /// Notes one line in the place of the one before. Another process finds it also when this one is killed;
  /// after a power cut perhaps only the one before, unless it was kSynced. Throws core::Failure StorageError.
  enum class Reach : std::uint8_t { kWritten, kSynced };
  void set_note(std::string_view note, Reach reach);

 private:
  // Closes with the object, also when the constructor fails.
  struct File {
    int descriptor = -1;
    ~File();
  };

  void write_lines();
  [[noreturn]] void fail(std::string_view what) const;

  std::filesystem::path path_;
  File lock_;
  std::string mark_;
  std::string note_;
  std::size_t size_ = 0;  // of the file
};

}  // namespace zerosuite::db
