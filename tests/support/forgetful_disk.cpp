// A disk that loses, when the power fails, all that was not synced: loaded into a program with LD_PRELOAD.
//
// What the disk is sure to have of $FORGETFUL_FOLDER is in $FORGETFUL_SURE, file by file: whatever is synced
// is copied there. A test kills the program and goes on with that folder instead.
#include <dlfcn.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <string>

namespace {

namespace fs = std::filesystem;

template <class F>
F* next(const char* name) {
  return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
}

// One sync at a time, so that a copy is whole.
std::mutex& copying() {
  static std::mutex mutex;
  return mutex;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

// Where a file of the folder is on the disk; empty for any other file.
fs::path sure(const fs::path& file) {
  static const fs::path folder = variable("FORGETFUL_FOLDER");
  static const fs::path disk = variable("FORGETFUL_SURE");
  return !folder.empty() && file.parent_path() == folder ? disk / file.filename() : fs::path();
}

void keep(int descriptor) {
  std::error_code error;
  const fs::path file = fs::read_symlink("/proc/self/fd/" + std::to_string(descriptor), error);
  const fs::path copy = error ? fs::path() : sure(file);
  if (copy.empty() || !fs::is_regular_file(file, error)) return;
  const std::lock_guard lock(copying());
  const fs::path fresh = copy.string() + ".being-written";
  fs::copy_file(file, fresh, fs::copy_options::overwrite_existing, error);
  if (error || next<int(const char*, const char*)>("rename")(fresh.c_str(), copy.c_str()) != 0) std::abort();
}

}  // namespace

extern "C" {

int fsync(int descriptor) {
  const int result = next<int(int)>("fsync")(descriptor);
  if (result == 0) keep(descriptor);
  return result;
}

int fdatasync(int descriptor) {
  const int result = next<int(int)>("fdatasync")(descriptor);
  if (result == 0) keep(descriptor);
  return result;
}

int rename(const char* from, const char* to) noexcept {
  const auto real = next<int(const char*, const char*)>("rename");
  const int result = real(from, to);
  const fs::path copy = sure(from);
  if (result == 0 && !copy.empty()) real(copy.c_str(), sure(to).c_str());
  return result;
}

int unlink(const char* file) noexcept {
  const auto real = next<int(const char*)>("unlink");
  const int result = real(file);
  const fs::path copy = sure(file);
  if (result == 0 && !copy.empty()) real(copy.c_str());
  return result;
}
}
