#include "db/folder_state.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <optional>
#include <system_error>

#include "core/error.hpp"
#include "core/host.hpp"
#include "core/random.hpp"

namespace zerosuite::db {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kIdBytes = 16;
constexpr std::string_view kDigits = "0123456789abcdef";

[[noreturn]] void fail(const fs::path& path, const std::string& what) {
  throw core::Failure(core::kStorageError, path.string() + " " + what);
}

[[noreturn]] void fail_by_errno(const fs::path& path, const char* what) {
  fail(path, std::string(what) + ": " + std::generic_category().message(errno));
}

// nullopt when there is no such file.
std::optional<std::string> read(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error) && !error) return std::nullopt;
  ::chmod(path.c_str(), 0600);  // it may have been readable by others
  std::ifstream file(path);
  std::string id;
  std::getline(file, id);
  if (!file && id.empty()) fail(path, "cannot be read, or is empty");
  if (id.size() != 2 * kIdBytes || id.find_first_not_of(kDigits) != id.npos)
    fail(path, "does not hold the id of a state: 32 hex digits");
  return id;
}

void sync(const fs::path& path, int flags) {
  const int file = ::open(path.c_str(), flags | O_CLOEXEC);
  if (file < 0) fail_by_errno(path, "cannot be opened");
  const bool synced = ::fsync(file) == 0;
  ::close(file);
  if (!synced) fail_by_errno(path, "cannot be written");
}

// Written under another name first, so that a crash leaves no partial id.
std::string make(const fs::path& folder, const fs::path& path) {
  const fs::path fresh = path.string() + ".new";
  std::string id = fresh_state_id();
  const std::string line = id + '\n';
  const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) fail_by_errno(fresh, "cannot be made");
  const bool written = ::write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  const int why = errno;
  ::close(file);
  errno = why;
  if (!written) fail_by_errno(fresh, "cannot be written");
  sync(fresh, O_RDONLY);
  if (::rename(fresh.c_str(), path.c_str()) != 0) fail_by_errno(path, "cannot be made");
  sync(folder, O_RDONLY | O_DIRECTORY);
  return id;
}

std::string lock_of(const fs::path& folder) {
  struct stat status {};
  const std::string boot = core::boot_id();
  if (boot.empty() || ::stat((folder / "lock").c_str(), &status) != 0) return {};
  return boot + ":" + std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
}

}  // namespace

std::string fresh_state_id() { return core::random_hex(kIdBytes); }

FolderState state_of(const fs::path& folder) {
  const fs::path path = folder / "state";
  const std::optional<std::string> known = read(path);
  std::error_code error;
  const fs::path whole = fs::canonical(folder, error);
  return {.id = known ? *known : make(folder, path),
          .where = core::host_name() + ":" + (error ? folder : whole).string(),
          .lock = lock_of(folder)};
}

}  // namespace zerosuite::db
