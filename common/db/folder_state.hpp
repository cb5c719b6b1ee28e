// The identity of the data in a folder: an id that is created with the data, moves with it, and distinguishes
// it from any other.
#pragma once

#include <filesystem>
#include <string>

namespace zerosuite::db {

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
