#include "db/folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>
#include <system_error>
#include <utility>

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

}  // namespace zerosuite::db
