#include "id/stores/high_water_marks.hpp"

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

#include "core/text.hpp"

namespace zerosuite::id {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostGrowth = 1 << 20;
constexpr std::size_t kBlock = 1 << 16;
constexpr std::size_t kLongestLine = 1 << 11;  // three characters for each byte of a key, and a number
constexpr char kState[] = "state:";

// Percent-encoding as in URLs (RFC 3986, 2.1), so that every key fits on one line.
std::string escaped(std::string_view key) {
  std::string text;
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || byte == '%') {
      text += '%' + core::hex({&c, 1});
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
    unsigned char byte = 0;
    if (!core::unhex(text.substr(at + 1, 2), {&byte, 1})) return std::nullopt;
    key += static_cast<char>(byte);
    at += 2;
  }
  return key;
}

std::string line_of(const std::string& escaped_key, std::int64_t next) {
  return std::to_string(next) + ' ' + escaped_key + '\n';
}

[[noreturn]] void fail_with(int code) { throw std::system_error(code, std::generic_category()); }

// Appends; a partial write means that the disk is full.
void write_all(int descriptor, std::size_t& size, std::string_view text) {
  const ssize_t done = ::write(descriptor, text.data(), text.size());
  if (done < 0) fail_with(errno);
  size += static_cast<std::size_t>(done);
  if (static_cast<std::size_t>(done) != text.size()) fail_with(ENOSPC);
}

// Reads up to `size` bytes at an offset.
std::string read_at(int descriptor, std::size_t offset, std::size_t size) {
  std::string text(size, '\0');
  const ssize_t done = ::pread(descriptor, text.data(), size, static_cast<off_t>(offset));
  if (done < 0) fail_with(errno);
  text.resize(static_cast<std::size_t>(done));
  return text;
}

void sync_folder(const fs::path& folder) {
  const int descriptor = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

HighWaterMarks::HighWaterMarks(fs::path path, std::size_t most) : path_(std::move(path)), most_(most) {
  read();
}

HighWaterMarks::~HighWaterMarks() {
  if (file_.descriptor >= 0) ::close(file_.descriptor);
}

// The sorted lines at the beginning stay in the file only; the lines after them are more recent.
void HighWaterMarks::read() {
  std::error_code error;
  found_ = fs::exists(path_, error);
  if (error) fail("cannot be read: " + error.message());
  if (!found_) return;
  if (!fs::is_regular_file(path_, error)) fail("is not a file");
  file_.descriptor = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  std::ifstream file(path_, std::ios::binary);
  if (file_.descriptor < 0 || !file.is_open()) fail("cannot be read");
  std::string last;
  std::string text;
  for (std::size_t number = 1; std::getline(file, text) && !file.eof(); ++number) {
    Line line = parse(text, number);
    if (line.key.starts_with(kState)) {
      const std::string id = line.key.substr(sizeof kState - 1);
      if (line.next > 0) state_ = id;
      if (line.next == 0 && state_ == id) state_.clear();
    }
    const bool ordered = file_.ordered == file_.size && line.key > last;
    file_.size += text.size() + 1;
    if (ordered) file_.ordered = file_.size;
    if (!ordered) recent_[line.key] = line.next;
    last = std::move(line.key);
  }
  if (file.bad()) fail("cannot be read");
}

HighWaterMarks::Line HighWaterMarks::parse(const std::string& line, std::size_t number) const {
  Line parsed;
  const char* const last = line.data() + line.size();
  const auto [end, error] = std::from_chars(line.data(), last, parsed.next);
  std::optional<std::string> key;
  if (error == std::errc() && end != last && *end == ' ') key = unescaped({end + 1, last});
  if (!key || key->empty())
    fail("is damaged in line " + std::to_string(number) +
         "; to go on, mend it by hand, or move it away and start with --accept-regressed");
  parsed.key = escaped(*key);
  return parsed;
}

void HighWaterMarks::begin() {
  try {
    rewrite();
  } catch (const std::system_error& failure) {
    fail(std::string("cannot be written: ") + failure.code().message());
  }
}

std::int64_t HighWaterMarks::of(const std::string& key) {
  const std::string wanted = escaped(key);
  const auto recent = recent_.find(wanted);
  if (recent != recent_.end()) return recent->second;
  try {
    const auto line = line_at(find(wanted), nullptr);
    if (!line || line->key != wanted) return 0;
    recent_.emplace(wanted, line->next);  // it will be used again
    return line->next;
  } catch (const std::system_error& failure) {
    trouble_ =
        core::Error{core::kStorageError, path_.string() + " cannot be read: " + failure.code().message()};
    return 0;
  }
}

// The offset of the first line of the ordered part whose key is not less than `key`.
std::size_t HighWaterMarks::find(const std::string& key) const {
  std::size_t low = 0;
  std::size_t high = file_.ordered;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    const std::size_t from = middle > low + kLongestLine ? middle - kLongestLine : low;
    const std::string before = read_at(file_.descriptor, from, middle - from);
    const std::size_t newline = before.rfind('\n');
    const std::size_t start = newline == std::string::npos ? from : from + newline + 1;
    std::size_t end = 0;
    const auto line = line_at(start, &end);
    if (!line) return file_.ordered;
    if (line->key < key) {
      low = end;
    } else {
      high = start;
    }
  }
  return low;
}

std::optional<HighWaterMarks::Line> HighWaterMarks::line_at(std::size_t offset, std::size_t* end) const {
  if (offset >= file_.ordered) return std::nullopt;
  const std::string text = read_at(file_.descriptor, offset, std::min(kLongestLine, file_.ordered - offset));
  const std::size_t newline = text.find('\n');
  if (newline == std::string::npos) return std::nullopt;
  if (end != nullptr) *end = offset + newline + 1;
  return parse(text.substr(0, newline), 0);
}

std::vector<HighWaterMarks::Mark> HighWaterMarks::after(const std::string& key, std::size_t limit) {
  const std::string from = escaped(key);
  std::vector<Mark> floors;
  auto recent = recent_.upper_bound(from);
  std::size_t end = 0;
  auto line = line_at(find(from), &end);
  if (line && line->key == from) line = line_at(end, &end);
  while (floors.size() < limit && (line || recent != recent_.end())) {
    const bool older = line && (recent == recent_.end() || line->key < recent->first);
    const Mark floor = older ? Mark(line->key, line->next) : Mark(*recent);
    const bool both = !older && line && line->key == recent->first;
    if (!floor.first.starts_with(kState)) floors.emplace_back(*unescaped(floor.first), floor.second);
    if (!older) ++recent;
    if (older || both) line = line_at(end, &end);
  }
  return floors;
}

void HighWaterMarks::set_state(const std::string& id) {
  if (id == state_) return;
  if (!state_.empty()) set(kState + state_, 0);
  state_ = id;
  if (!id.empty()) set(kState + id, 1);
}

void HighWaterMarks::raise(const std::string& key, std::int64_t next) {
  if (next > of(key)) set(key, next);
}

void HighWaterMarks::sync() {
  if (!trouble_ && ::fdatasync(file_.descriptor) != 0)
    trouble_ = core::Error{core::kStorageError,
                           path_.string() + " cannot be written: " + std::generic_category().message(errno)};
}

// After a failure the file may end in a partial line, so it is rewritten.
void HighWaterMarks::set(const std::string& key, std::int64_t next) {
  const std::string name = escaped(key);
  recent_[name] = next;
  try {
    if (trouble_ || file_.size > file_.ordered * 2 + kMostGrowth || recent_.size() > most_) {
      rewrite();
    } else {
      write_all(file_.descriptor, file_.size, line_of(name, next));
    }
    trouble_.reset();
  } catch (const std::system_error& failure) {
    trouble_ =
        core::Error{core::kStorageError, path_.string() + " cannot be written: " + failure.code().message()};
  }
}

void HighWaterMarks::rewrite() {
  const fs::path path = path_.string() + ".new";
  File fresh;
  fresh.descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  if (fresh.descriptor < 0) fail_with(errno);
  try {
    merge_into(fresh);
    if (::fsync(fresh.descriptor) != 0 || ::rename(path.c_str(), path_.c_str()) != 0) fail_with(errno);
  } catch (...) {
    ::close(fresh.descriptor);
    throw;
  }
  if (file_.descriptor >= 0) ::close(file_.descriptor);
  fresh.ordered = fresh.size;
  file_ = fresh;
  recent_.clear();
  sync_folder(path_.parent_path());
}

// Merges the ordered part and the recent floors; a recent one takes precedence.
void HighWaterMarks::merge_into(File& fresh) {
  std::string text;
  const auto add = [&](std::string_view line) {
    text += line;
    if (text.size() < kBlock) return;
    write_all(fresh.descriptor, fresh.size, text);
    text.clear();
  };
  auto recent = recent_.begin();
  std::string block;
  for (std::size_t at = 0; at < file_.ordered;) {
    block = read_at(file_.descriptor, at, std::min(kBlock, file_.ordered - at));
    std::size_t start = 0;
    for (std::size_t end = 0; (end = block.find('\n', start)) != std::string::npos; start = end + 1) {
      const std::string_view line(block.data() + start, end + 1 - start);
      const std::string_view key = line.substr(line.find(' ') + 1, line.size() - line.find(' ') - 2);
      for (; recent != recent_.end() && recent->first < key; ++recent)
        add(line_of(recent->first, recent->second));
      if (recent == recent_.end() || recent->first != key) add(line);
    }
    if (start == 0) fail_with(EIO);
    at += start;
  }
  for (; recent != recent_.end(); ++recent) add(line_of(recent->first, recent->second));
  write_all(fresh.descriptor, fresh.size, text);
}

void HighWaterMarks::fail(const std::string& what) const {
  throw core::Failure(core::kStorageError, path_.string() + " " + what);
}

}  // namespace zerosuite::id
