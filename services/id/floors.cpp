#include "id/floors.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>
#include <utility>

namespace zerosuite::id {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostGrowth = 1 << 20;
constexpr char kHex[] = "0123456789abcdef";

// As in URLs (RFC 3986, 2.1), so that a key is one line whatever is in it.
std::string escaped(std::string_view key) {
  std::string text;
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || byte == '%') {
      text += {'%', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      text += c;
    }
  }
  return text;
}

std::optional<std::string> unescaped(std::string_view text) {
  std::string key;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      key += text[at];
      continue;
    }
    unsigned int byte = 0;
    const std::string_view digits = text.substr(at + 1, 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (digits.size() != 2 || error != std::errc() || end != digits.data() + 2) return std::nullopt;
    key += static_cast<char>(byte);
    at += 2;
  }
  return key;
}

std::string line_of(const std::string& key, std::int64_t next) {
  return std::to_string(next) + ' ' + escaped(key) + '\n';
}

void sync_folder(const fs::path& folder) {
  const int descriptor = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

Floors::Floors(fs::path path) : path_(std::move(path)) { read(); }

Floors::~Floors() {
  if (file_ >= 0) ::close(file_);
}

void Floors::read() {
  std::error_code error;
  found_ = fs::exists(path_, error);
  if (error) fail("cannot be read: " + error.message());
  if (!found_) return;
  if (!fs::is_regular_file(path_, error)) fail("is not a file");
  std::ifstream file(path_, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.good() && !file.eof()) fail("cannot be read");
  std::size_t number = 0;
  std::size_t at = 0;
  for (std::size_t end = 0; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
    take(text.substr(at, end - at), ++number);
}

void Floors::take(const std::string& line, std::size_t number) {
  std::int64_t next = 0;
  const char* const last = line.data() + line.size();
  const auto [end, error] = std::from_chars(line.data(), last, next);
  std::optional<std::string> key;
  if (error == std::errc() && end != last && *end == ' ') key = unescaped({end + 1, last});
  if (!key || key->empty())
    fail("is damaged in line " + std::to_string(number) +
         "; to go on, mend it by hand, or move it away and start with --accept-regressed");
  floors_[*key] = next;
}

void Floors::begin() {
  try {
    rewrite();
  } catch (const std::system_error& failure) {
    fail(std::string("cannot be written: ") + failure.code().message());
  }
}

std::int64_t Floors::of(const Key& key) const {
  const auto floor = floors_.find(key.text());
  return floor != floors_.end() ? floor->second : 0;
}

void Floors::raise(const Key& key, std::int64_t next) {
  if (next > of(key)) set(key.text(), next);
}

void Floors::lower(const Key& key, std::int64_t next) { set(key.text(), next); }

void Floors::sync() {
  if (!trouble_ && ::fdatasync(file_) != 0)
    trouble_ = core::Error{core::kStorageError,
                           path_.string() + " cannot be written: " + std::generic_category().message(errno)};
}

// After a failure the file may end in half a line, so it is written anew.
void Floors::set(const std::string& key, std::int64_t next) {
  floors_[key] = next;
  try {
    if (trouble_ || size_ > content_ * 2 + kMostGrowth) {
      rewrite();
    } else {
      write(line_of(key, next));
    }
    trouble_.reset();
  } catch (const std::system_error& failure) {
    trouble_ =
        core::Error{core::kStorageError, path_.string() + " cannot be written: " + failure.code().message()};
  }
}

void Floors::rewrite() {
  const fs::path fresh = path_.string() + ".new";
  const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) throw std::system_error(errno, std::generic_category());
  if (file_ >= 0) ::close(file_);
  file_ = file;
  size_ = 0;
  std::string text;
  for (const auto& [key, next] : floors_) text += line_of(key, next);
  write(text);
  if (::fsync(file_) != 0 || ::rename(fresh.c_str(), path_.c_str()) != 0)
    throw std::system_error(errno, std::generic_category());
  sync_folder(path_.parent_path());
  content_ = size_;
}

void Floors::write(const std::string& text) {
  const ssize_t done = ::write(file_, text.data(), text.size());
  if (done < 0) throw std::system_error(errno, std::generic_category());
  size_ += static_cast<std::size_t>(done);
  if (static_cast<std::size_t>(done) != text.size()) throw std::system_error(ENOSPC, std::generic_category());
}

void Floors::fail(const std::string& what) const {
  throw core::Failure(core::kStorageError, path_.string() + " " + what);
}

}  // namespace zerosuite::id
