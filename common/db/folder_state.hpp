// Which data a folder holds: an id that is made with them, stays with them wherever they are moved, and tells
// them from any other.
#pragma once

#include <filesystem>
#include <string>

namespace zerosuite::db {

struct FolderState {
  std::string id;     ///< 32 hex digits, made at random.
  std::string where;  ///< "HOST:/ABSOLUTE/PATH"
  /// Names the folder's lock file itself, and no copy of it: of those who have held it, one at most is alive.
  /// Empty when the kernel does not tell enough.
  std::string lock;
};

/// An id that no other state has.
std::string fresh_state_id();

/// Of a folder that this process holds (see Folder). The id is kept in its file `state`, which is made when
/// there is none and is on the disk then. Blocks for as long as the disk takes. Throws core::Failure
/// StorageError, one line, when the file cannot be read or made, or holds no id.
FolderState state_of(const std::filesystem::path& folder);

}  // namespace zerosuite::db
