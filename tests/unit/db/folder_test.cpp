#include "db/folder.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "core/error.hpp"
#include "support/temporary_folder.hpp"

namespace zerosuite::test::folder_test {

using db::Folder;

// What opening it fails with, as "name: message"; empty when it does not.
std::string failure_of(const std::filesystem::path& path) {
  try {
    const Folder folder(path);
  } catch (const core::Failure& failure) {
    return failure.name() + ": " + failure.what();
  }
  return {};
}

TEST_CASE("a folder is made with those above it, for its owner only") {
  const TemporaryFolder above;
  const auto path = above.path() / "a" / "b";
  const Folder folder(path);
  CHECK(folder.path() == path);
  CHECK(folder.mark().empty());
  struct stat found {};
  REQUIRE(::stat(path.c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0700);
}

TEST_CASE("a disk without room for its own line is told as such, also when a part of the line was written") {
  const TemporaryFolder above;
  const auto path = above.path() / "a";
  std::filesystem::create_directories(path);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const auto heeded = std::signal(SIGXFSZ, SIG_IGN);
  for (const rlim_t bytes : {0, 1}) {
    const rlimit small{bytes, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
    const std::string failure = failure_of(path);
    ::setrlimit(RLIMIT_FSIZE, &before);
    CHECK(failure == "StorageError: " + path.string() + " cannot be written: " +
                         (bytes == 0 ? "File too large" : "No space left on device"));
  }
  std::signal(SIGXFSZ, heeded);
  CHECK(failure_of(path).empty());
}

TEST_CASE("a folder in use is refused, with the process that uses it") {
  const TemporaryFolder above;
  const auto path = above.path() / "a";
  {
    const Folder folder(path);
    const std::string process = std::to_string(::getpid());
    CHECK(failure_of(path) == "StorageError: " + path.string() + " is in use by process " + process);
  }
  CHECK(failure_of(path).empty());
}

TEST_CASE("what is no folder, or cannot be one, is refused in one line") {
  const TemporaryFolder above;
  const auto file = above.path() / "file";
  write_file(file, "x");
  CHECK(failure_of(file) == "StorageError: " + file.string() + " is not a folder");
  CHECK(failure_of(file / "below") ==
        "StorageError: " + (file / "below").string() + " cannot be made: Not a directory");
  std::filesystem::create_symlink("loop", above.path() / "loop");
  CHECK(failure_of(above.path() / "loop") == "StorageError: " + (above.path() / "loop").string() +
                                                 " cannot be made: Too many levels of symbolic links");
  const std::string long_name(300, 'x');
  CHECK(failure_of(above.path() / long_name) ==
        "StorageError: " + (above.path() / long_name).string() + " cannot be made: File name too long");
  CHECK(failure_of("/proc/none") == "StorageError: /proc/none cannot be made: No such file or directory");
  std::filesystem::create_directories(above.path() / "odd" / "lock");
  CHECK(failure_of(above.path() / "odd") ==
        "StorageError: " + (above.path() / "odd").string() + " cannot be written: Is a directory");
}

TEST_CASE("a mark stays, and the process after it is the one that runs") {
  const TemporaryFolder above;
  {
    Folder folder(above.path());
    folder.set_mark("something");
    CHECK(folder.mark() == "something");
  }
  write_file(above.path() / "lock", "something\n123456789012\n");
  const Folder folder(above.path());
  CHECK(folder.mark() == "something");
  CHECK(content_of(above.path() / "lock") == "something\n" + std::to_string(::getpid()) + "\n");
}

TEST_CASE("a note stays for the next process, and one takes the place of the other") {
  const TemporaryFolder above;
  {
    Folder folder(above.path());
    CHECK(folder.note().empty());
    folder.set_mark("something");
    folder.set_note("a longer one", Folder::Reach::kSynced);
    folder.set_note("short", Folder::Reach::kWritten);
  }
  const Folder folder(above.path());
  CHECK(folder.mark() == "something");
  CHECK(folder.note() == "short");
  CHECK(content_of(above.path() / "lock") == "something\n" + std::to_string(::getpid()) + "\nshort\n");
}

TEST_CASE("in a folder that others may read the file is for its owner only, also if it was there before") {
  const TemporaryFolder above;
  write_file(above.path() / "lock", "something\n");
  ::chmod((above.path() / "lock").c_str(), 0644);
  const Folder folder(above.path());
  struct stat found {};
  REQUIRE(::stat((above.path() / "lock").c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0600);
}

}  // namespace zerosuite::test::folder_test
