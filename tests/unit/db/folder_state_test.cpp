
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "core/error.hpp"
#include "core/host.hpp"
#include "db/folder.hpp"
#include "support/temporary_folder.hpp"

namespace zerosuite::test::folder_state_test {

using db::Folder;
using db::state_of;

std::string failure_of(const std::filesystem::path& folder) {
  try {
    state_of(folder);
  } catch (const core::Failure& failure) {
    return failure.name() + ": " + failure.what();
  }
  return {};
}

TEST_CASE_FIXTURE(TemporaryFolder,
                  "a folder's state has an id that stays with it, over processes and wherever it is moved") {
  std::string id;
  {
    const Folder folder(path() / "a");
    id = state_of(folder.path()).id;
    CHECK(id.size() == 32);
    CHECK(state_of(folder.path()).id == id);
    struct stat found {};
    REQUIRE(::stat((folder.path() / "state").c_str(), &found) == 0);
    CHECK((found.st_mode & 0777) == 0600);
  }
  std::filesystem::rename(path() / "a", path() / "b");
  const Folder moved(path() / "b");
  CHECK(state_of(moved.path()).id == id);
  const Folder fresh(path() / "a");
  CHECK(state_of(fresh.path()).id != id);
}

TEST_CASE_FIXTURE(TemporaryFolder, "a copy of a folder has the same state and another lock") {
  const Folder folder(path() / "a");
  const auto original = state_of(folder.path());
  std::filesystem::copy(path() / "a", path() / "b");
  const Folder copy(path() / "b");
  CHECK(state_of(copy.path()).id == original.id);
  CHECK(state_of(copy.path()).lock != original.lock);
  CHECK(state_of(folder.path()).lock == original.lock);
  CHECK_FALSE(original.lock.empty());
}

TEST_CASE_FIXTURE(TemporaryFolder, "a state says where it is by the whole path") {
  const Folder folder(path() / "a");
  const auto whole = std::filesystem::canonical(folder.path()).string();
  CHECK(state_of(path() / "a" / ".." / "a").where == core::host_name() + ":" + whole);
}

TEST_CASE_FIXTURE(TemporaryFolder, "a file that holds no id is an error in one line, and not replaced") {
  const Folder folder(path() / "a");
  const auto file = folder.path() / "state";
  for (const std::string content : {"short\n", "0123456789abcdef0123456789abcdeX\n"}) {
    write_file(file, content);
    CHECK(failure_of(folder.path()) ==
          "StorageError: " + file.string() + " does not hold the id of a state: 32 hex digits");
  }
  write_file(file, "");
  CHECK(failure_of(folder.path()) == "StorageError: " + file.string() + " cannot be read, or is empty");
}

}  // namespace zerosuite::test::folder_state_test
