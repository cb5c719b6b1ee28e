// A disk that fails when the test says so, and forgets at a power cut what was not synced: SQLite's own way
// of testing itself (https://sqlite.org/testing.html, 3.2 and 3.3).
#pragma once

#include <sqlite3.h>

#include <cstring>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "support/temporary_folder.hpp"

namespace zerosuite::test {

/// SQLite's default file system while it lives; one at a time.
class FaultyDisk {
 public:
  enum class Fault : std::uint8_t {
    kFullOnce,  ///< One write finds no room, the next does.
    kFull,      ///< No room any more.
    kWrite,     ///< One write fails, half done.
    kSync,      ///< One sync fails; what it should have kept is on the disk or not.
  };

  FaultyDisk() : real_(sqlite3_vfs_find(nullptr)), mine_(*real_) {
    mine_.zName = "zerosuite-faulty";
    mine_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
    mine_.pAppData = this;
    mine_.pNext = nullptr;
    mine_.xOpen = open;
    mine_.xDelete = remove;
    sqlite3_vfs_register(&mine_, 1);
  }
  ~FaultyDisk() {
    sqlite3_vfs_unregister(&mine_);
    sqlite3_vfs_register(real_, 1);
  }
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  /// From now on, operation number `nth` (1 is the next) of the fault's kind fails.
  void fail(Fault fault, int nth) {
    fault_ = fault;
    left_ = nth;
    fired_ = false;
  }
  /// The fault is over.
  void heal() { left_ = 0; }
  bool fired() const { return fired_; }

  /// Each write that was not synced is there or not, as the dice fall; the files must be closed.
  void cut_power(unsigned int seed) {
    std::mt19937 dice(seed);
    for (auto& [name, state] : files_) {
      if (!std::filesystem::exists(name)) continue;
      std::string content = state.synced;
      for (const Write& write : state.unsynced) {
        if (dice() % 2 == 0) write.apply(content);
      }
      write_file(name, content);
      state = {content, {}};
    }
  }

 private:
  static constexpr int kSector = 512;  // written whole or not at all

  struct Write {
    std::size_t offset = 0;
    std::string bytes;
    bool truncate = false;

    void apply(std::string& content) const {
      if (truncate) return content.resize(offset);
      if (content.size() < offset + bytes.size()) content.resize(offset + bytes.size());
      content.replace(offset, bytes.size(), bytes);
    }
  };
  struct State {
    std::string synced;
    std::vector<Write> unsynced;
  };
  struct File {
    sqlite3_file base;
    FaultyDisk* disk;
    State* state;
    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  };

  static File& of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }

  bool fails(bool sync) {
    if (left_ == 0 || (fault_ == Fault::kSync) != sync) return false;
    if (left_ > 1) {
      --left_;
      return false;
    }
    if (fault_ != Fault::kFull) left_ = 0;
    return fired_ = true;
  }

  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* opened, int flags, int* out) {
    auto& disk = *static_cast<FaultyDisk*>(vfs->pAppData);
    File& file = of(opened);
    file.disk = &disk;
    file.base.pMethods = nullptr;
    const int code = disk.real_->xOpen(disk.real_, name, file.real(), flags, out);
    if (code != SQLITE_OK) return code;
    const auto [state, unknown] = disk.files_.try_emplace(name != nullptr ? name : "");
    if (unknown) state->second.synced = content_of(state->first);
    file.state = &state->second;
    file.base.pMethods = &kMethods;
    return SQLITE_OK;
  }
  static int remove(sqlite3_vfs* vfs, const char* name, int sync_folder) {
    auto& disk = *static_cast<FaultyDisk*>(vfs->pAppData);
    disk.files_.erase(name);
    return disk.real_->xDelete(disk.real_, name, sync_folder);
  }
  static int close(sqlite3_file* file) { return of(file).real()->pMethods->xClose(of(file).real()); }
  static int read(sqlite3_file* file, void* to, int size, sqlite3_int64 offset) {
    return of(file).real()->pMethods->xRead(of(file).real(), to, size, offset);
  }
  static int write(sqlite3_file* opened, const void* from, int size, sqlite3_int64 offset) {
    File& file = of(opened);
    const bool fails = file.disk->fails(false);
    if (fails && file.disk->fault_ != Fault::kWrite) return SQLITE_FULL;
    const int done = fails ? size / 2 / kSector * kSector : size;
    file.state->unsynced.push_back(
        {static_cast<std::size_t>(offset), {static_cast<const char*>(from), static_cast<std::size_t>(done)}});
    const int code = file.real()->pMethods->xWrite(file.real(), from, done, offset);
    return fails ? SQLITE_IOERR_WRITE : code;
  }
  static int truncate(sqlite3_file* opened, sqlite3_int64 size) {
    File& file = of(opened);
    file.state->unsynced.push_back({static_cast<std::size_t>(size), {}, true});
    return file.real()->pMethods->xTruncate(file.real(), size);
  }
  // The real sync is left out: what it would keep is in `synced`.
  static int sync(sqlite3_file* opened, int) {
    File& file = of(opened);
    if (file.disk->fails(true)) return SQLITE_IOERR_FSYNC;
    for (const Write& write : file.state->unsynced) write.apply(file.state->synced);
    file.state->unsynced.clear();
    return SQLITE_OK;
  }
  static int size(sqlite3_file* file, sqlite3_int64* size) {
    return of(file).real()->pMethods->xFileSize(of(file).real(), size);
  }
  static int lock(sqlite3_file* file, int level) {
    return of(file).real()->pMethods->xLock(of(file).real(), level);
  }
  static int unlock(sqlite3_file* file, int level) {
    return of(file).real()->pMethods->xUnlock(of(file).real(), level);
  }
  static int check_lock(sqlite3_file* file, int* reserved) {
    return of(file).real()->pMethods->xCheckReservedLock(of(file).real(), reserved);
  }
  static int control(sqlite3_file* file, int what, void* argument) {
    return of(file).real()->pMethods->xFileControl(of(file).real(), what, argument);
  }
  static int sector_size(sqlite3_file* file) {
    return of(file).real()->pMethods->xSectorSize(of(file).real());
  }
  static int traits(sqlite3_file* file) {
    return of(file).real()->pMethods->xDeviceCharacteristics(of(file).real());
  }

  // Version 1, without shared memory: whoever opens a database here must be alone with it.
  inline static const sqlite3_io_methods kMethods{
      1,       close,       read,   write,   truncate, sync,    size,    lock,    unlock, check_lock,
      control, sector_size, traits, nullptr, nullptr,  nullptr, nullptr, nullptr, nullptr};

  sqlite3_vfs* real_;
  sqlite3_vfs mine_;
  std::map<std::string, State> files_;
  Fault fault_ = Fault::kWrite;
  int left_ = 0;
  bool fired_ = false;
};

}  // namespace zerosuite::test
