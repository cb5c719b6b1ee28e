#include "id/secret/secret_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <system_error>

#include "core/error.hpp"
#include "core/text.hpp"

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

constexpr std::size_t kLeastDigits = 32, kMostDigits = 128;
constexpr std::string_view kBlank = " \t\r";

std::string_view trimmed(std::string_view line) {
  line = line.substr(0, line.find('#'));
  const std::size_t begin = line.find_first_not_of(kBlank);
  if (begin == line.npos) return {};
  return line.substr(begin, line.find_last_not_of(kBlank) + 1 - begin);
}

bool is_key_id(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

SecretKey parse_key(std::string_view line, const std::string& place) {
  const std::size_t end = line.find_first_of(kBlank);
  if (end != 1 || !is_key_id(line.front()))
    refuse_secret(place, "expected one character of 0-9A-Za-z, a blank, and a key in hexadecimal digits");
  const std::string_view digits = line.substr(line.find_first_not_of(kBlank, end));
  if (digits.size() < kLeastDigits || digits.size() > kMostDigits || digits.size() % 2 != 0)
    refuse_secret(place,
                  "a key has from 32 to 128 hexadecimal digits, an even number of them; this one has " +
                      std::to_string(digits.size()));
  SecretKey key{line.front()};
  key.bytes.resize(digits.size() / 2);
  if (!core::unhex(digits, key.bytes)) refuse_secret(place, "a key has hexadecimal digits only");
  return key;
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

std::vector<SecretKey> parse_keys(std::string_view text, const std::string& place, char separator) {
  std::vector<SecretKey> keys;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find(separator), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    const std::string here = place + ":" + std::to_string(number);
    SecretKey key = parse_key(line, here);
    if (std::any_of(keys.begin(), keys.end(), [&](const SecretKey& other) { return other.id == key.id; }))
      refuse_secret(here, std::string("there is a key '") + key.id + "' already");
    keys.push_back(std::move(key));
  }
  if (keys.empty()) refuse_secret(place, "there is no key in it");
  return keys;
}

std::vector<SecretKey> read_keys(const std::string& path) {
  return parse_keys(core::view(read_private(path)), path);
}

}  // namespace zerosuite::id
