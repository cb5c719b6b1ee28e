// A folder for data, used by one process at a time, and the identity of the data in it.
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

/// Holds the lock on the folder's file `lock` while it lives. The first line of that file is a permanent
/// mark, the second the process id, the third a note that changes. Its functions block on the disk.
class Folder {
 public:
  /// Creates the folder, for its owner only, if there is none. Throws FolderInUse, or core::Failure
  /// StorageError, one line, when it is not a folder, cannot be created, or cannot be written.
  explicit Folder(std::filesystem::path path);
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// The mark set by this process or an earlier one; empty if none was set.
  const std::string& mark() const { return mark_; }
  /// Sets the mark, one line, and syncs it and the folder's directory entries to the disk. Throws
  /// core::Failure StorageError.
  void set_mark(std::string_view mark);

  /// The last note set by this process or an earlier one; empty if none was set.
  const std::string& note() const { return note_; }
  /// Replaces the note by another line. The next process finds it even if this one is killed; after a power
  /// failure possibly only the previous one, unless it was kSynced. Throws core::Failure StorageError.
  enum class Reach : std::uint8_t { kWritten, kSynced };
  void set_note(std::string_view note, Reach reach);

 private:
  // Closed with the object, also when the constructor fails.
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

/// The identity of the data in a folder: an id that is created with the data, moves with it, and
/// distinguishes it from any other.
struct FolderState {
  std::string id;     ///< 32 random hex digits.
  std::string where;  ///< "HOST:/ABSOLUTE/PATH"
  /// Identifies the folder's lock file itself, but no copy of it: at most one of the processes that have held
  /// it is alive. Empty when the kernel does not provide enough.
  std::string lock;
};

/// A new unique id.
std::string fresh_state_id();

/// The state of a folder that this process holds (see Folder). The id is in its file `state`, which is
/// created and synced if there is none. Blocks on the disk. Throws core::Failure StorageError, one line, when
/// the file cannot be read or created, or holds no id.
FolderState state_of(const std::filesystem::path& folder);

}  // namespace zerosuite::db
