#include "db/folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <optional>
#include <sstream>
#include <system_error>
#include <utility>

#include "core/error.hpp"
#include "core/host.hpp"
#include "core/random.hpp"

namespace zerosuite::db {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_with(const std::string& message) { throw core::Failure(core::kStorageError, message); }

// Like `mkdir -p`, but for the owner only.
void make(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return;
  const mode_t before = ::umask(0077);
  fs::create_directories(path, error);
  ::umask(before);
  std::error_code unknown;  // ignored: then it does not count as a folder
  if (error && !fs::exists(path, unknown)) fail_with(path.string() + " cannot be made: " + error.message());
  if (!fs::is_directory(path, unknown)) fail_with(path.string() + " is not a folder");
}

std::string content(int file) {
  std::string text(4096, '\0');
  const ssize_t got = ::pread(file, text.data(), text.size(), 0);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

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

Folder::Folder(fs::path path) : path_(std::move(path)) {
  make(path_);
  const fs::path file = path_ / "lock";
  lock_.descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_.descriptor < 0) fail("cannot be written");
  const bool locked = ::flock(lock_.descriptor, LOCK_EX | LOCK_NB) == 0;
  const int why = errno;
  std::istringstream lines(content(lock_.descriptor));
  std::string process;
  std::getline(lines, mark_);
  std::getline(lines, process);
  std::getline(lines, note_);
  if (locked) {
    ::fchmod(lock_.descriptor, 0600);  // it may have been readable by others
    write_lines();
    return;
  }
  errno = why;
  if (why != EWOULDBLOCK) fail("cannot be locked");
  throw FolderInUse(path_.string() + " is in use by " +
                    (process.empty() ? "another process" : "process " + process));
}

Folder::File::~File() {
  if (descriptor >= 0) ::close(descriptor);
}

void Folder::set_mark(std::string_view mark) {
  mark_ = mark;
  write_lines();
  if (::fsync(lock_.descriptor) != 0) fail("cannot be written");
  const File folder{::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (folder.descriptor < 0 || ::fsync(folder.descriptor) != 0) fail("cannot be written");
}

void Folder::set_note(std::string_view note, Reach reach) {
  note_ = note;
  write_lines();
  if (reach == Reach::kSynced && ::fsync(lock_.descriptor) != 0) fail("cannot be written");
}

// The mark is overwritten with itself, so a crash in between cannot lose it.
void Folder::write_lines() {
  std::string text = mark_ + '\n' + std::to_string(::getpid()) + '\n';
  if (!note_.empty()) text += note_ + '\n';
  const auto size = static_cast<ssize_t>(text.size());
  errno = ENOSPC;  // the reason if only a part is written
  if (::pwrite(lock_.descriptor, text.data(), text.size(), 0) != size) fail("cannot be written");
  if (size_ != text.size() && ::ftruncate(lock_.descriptor, size) != 0) fail("cannot be written");
  size_ = text.size();
}

void Folder::fail(std::string_view what) const {
  fail_with(path_.string() + " " + std::string(what) + ": " + std::generic_category().message(errno));
}

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
