#include "id/secret/secret_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <system_error>

#include "core/error.hpp"

namespace zerosuite::id {
namespace {

constexpr std::size_t kPart = 4096;

struct File {
  explicit File(const std::string& path)
      : descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~File() {
    if (descriptor >= 0) ::close(descriptor);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  int descriptor;
};

[[noreturn]] void refuse_call(const std::string& path) {
  refuse_secret(path, std::generic_category().message(errno));
}

}  // namespace

void refuse_secret(const std::string& place, const std::string& why) {
  throw core::Failure(core::kInvalidArgument, place + ": " + why);
}

core::SecretText read_private(const std::string& path) {
  const File file(path);
  struct stat status {};
  if (file.descriptor < 0 || ::fstat(file.descriptor, &status) != 0) refuse_call(path);
  if (!S_ISREG(status.st_mode)) refuse_secret(path, "it is no file");
  if (status.st_uid != ::geteuid() && status.st_uid != 0)
    refuse_secret(path, "this secret is another user's");
  if ((status.st_mode & 077) != 0)
    refuse_secret(path, "others than its owner may read or write this secret; chmod 600 it");
  core::SecretText text;
  core::SecretText part(kPart);
  ssize_t got = 0;
  while ((got = ::read(file.descriptor, part.data(), part.size())) > 0)
    text.insert(text.end(), part.data(), part.data() + got);
  if (got < 0) refuse_call(path);
  return text;
}

core::SecretText read_secret(const std::string& path) {
  core::SecretText text = read_private(path);
  text.resize(core::view(text).find_last_not_of(" \t\r\n") + 1);
  if (text.empty()) refuse_secret(path, "there is no secret in it");
  return text;
}

}  // namespace zerosuite::id
