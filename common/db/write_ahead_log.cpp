#include "db/write_ahead_log.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <span>
#include <string>

#include "core/error.hpp"

namespace zerosuite::db {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kHeader = 32;           // of the log
constexpr std::size_t kFrameHeader = 24;      // of one frame; a page follows
constexpr std::uint32_t kMagic = 0x377f0682;  // the lowest bit is the byte order of the checksums

std::uint32_t big_endian(Bytes bytes, std::size_t at) {
  return std::uint32_t{bytes[at]} << 24 | std::uint32_t{bytes[at + 1]} << 16 |
         std::uint32_t{bytes[at + 2]} << 8 | std::uint32_t{bytes[at + 3]};
}

std::uint32_t little_endian(Bytes bytes, std::size_t at) { return __builtin_bswap32(big_endian(bytes, at)); }

// Continues from frame to frame, so a wrong frame makes all that follow wrong.
class Checksum {
 public:
  explicit Checksum(bool big) : word_(big ? big_endian : little_endian) {}

  void add(Bytes bytes) {
    for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
      first_ += word_(bytes, at) + second_;
      second_ += word_(bytes, at + 4) + first_;
    }
  }
  bool is(Bytes bytes, std::size_t at) const {
    return big_endian(bytes, at) == first_ && big_endian(bytes, at + 4) == second_;
  }

 private:
  std::uint32_t (*word_)(Bytes, std::size_t);
  std::uint32_t first_ = 0;
  std::uint32_t second_ = 0;
};

std::string content(const std::filesystem::path& log) {
  std::ifstream file(log, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.good() && !file.eof()) throw core::Failure(core::kStorageError, log.string() + " cannot be read");
  return text;
}

// Whether the frame belongs to the current round of the log. One salt may be damaged; frames of an earlier
// round differ in both.
bool same_round(Bytes log, Bytes frame) {
  return big_endian(frame, 8) == big_endian(log, 16) || big_endian(frame, 12) == big_endian(log, 20);
}

bool marks_commit(Bytes frame) { return big_endian(frame, 4) != 0; }

// The state of what follows the frames that SQLite will accept. Each commit is synced before the next one
// begins, so a crash can tear at most one, the last.
LogState state_of_rest(Bytes log, std::size_t at, std::size_t page) {
  bool commit = false;
  for (; at + kFrameHeader <= log.size(); at += kFrameHeader + page) {
    const Bytes frame = log.subspan(at);
    if (!same_round(log, frame)) continue;
    if (commit) return LogState::kDamaged;
    commit = marks_commit(frame);
  }
  return commit ? LogState::kLastTorn : LogState::kWhole;
}

LogState state_of(Bytes log, const LogNote& note) {
  const std::size_t page = big_endian(log, 8);
  Checksum checksum((big_endian(log, 0) & 1) != 0);
  checksum.add(log.first(24));
  // The header is on the disk before the first frame.
  if ((big_endian(log, 0) & ~1U) != kMagic || !checksum.is(log, 24) || page < 512 || page > 65536)
    return LogState::kDamaged;

  std::size_t at = kHeader;
  std::int64_t pages = 0;
  for (; at + kFrameHeader + page <= log.size(); at += kFrameHeader + page, ++pages) {
    const Bytes frame = log.subspan(at, kFrameHeader + page);
    checksum.add(frame.first(8));
    checksum.add(frame.subspan(kFrameHeader));
    if (!checksum.is(frame, 16) || !std::equal(&frame[8], &frame[16], &log[16])) break;
  }
  const LogState rest = state_of_rest(log, at, page);
  if (pages >= note.pages) return note.leftovers ? LogState::kWhole : rest;
  const auto begun =
      static_cast<std::int64_t>((log.size() - kHeader - kFrameHeader) / (kFrameHeader + page) + 1);
  return begun < note.pages ? LogState::kDamaged : std::max(rest, LogState::kLastTorn);
}

// Pages after which a log is checkpointed; SQLite's own default.
constexpr int kLongLog = 1000;

}  // namespace

std::string LogNote::line() const {
  if (!open) return "closed";
  return "log " + std::to_string(pages) + (leftovers ? " leftovers" : "");
}

LogNote LogNote::parse(std::string_view line) {
  constexpr std::string_view kOpen = "log ";
  LogNote note;
  note.open = line.starts_with(kOpen);
  if (!note.open) return note;
  line.remove_prefix(kOpen.size());
  std::from_chars(line.data(), line.data() + line.size(), note.pages);
  note.leftovers = line.ends_with(" leftovers");
  return note;
}

LogState scan_log(const std::filesystem::path& log, const LogNote& note) {
  if (!std::filesystem::exists(log)) return LogState::kMissing;
  const std::string text = content(log);
  if (text.size() < kHeader + kFrameHeader) return LogState::kMissing;
  return state_of({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, note);
}

WriteAheadLog::WriteAheadLog(Folder& folder, const std::filesystem::path& file) : folder_(folder) {
  const LogNote before = LogNote::parse(folder.note());
  was_open_ = before.open;
  found_ = scan_log(file.string() + "-wal", before);
  // Its unreadable part remains after what is written now, until the log restarts.
  note_.leftovers = before.leftovers || found_ == LogState::kLastTorn || found_ == LogState::kDamaged;
}

void WriteAheadLog::open(Database& database) {
  database_ = &database;
  note_.open = true;
}

// While commits fail the log is not checkpointed: a full disk must fail every commit, not every other one.
void WriteAheadLog::prepare() {
  if ((note_.leftovers && !failing_) || database_->log_pages() > kLongLog) checkpoint();
}

void WriteAheadLog::committed() {
  const std::int64_t pages = database_->log_pages();
  failing_ = false;
  if (pages <= pages_) note_.leftovers = false;  // it has restarted: what follows is of an earlier round
  pages_ = note_.pages = pages;
  note(Folder::Reach::kWritten);
}

// If that cannot be noted either, the next start takes the leftovers for a lost commit: safe, but slow.
void WriteAheadLog::failed() noexcept {
  note_.leftovers = failing_ = true;
  try {
    note(Folder::Reach::kSynced);
  } catch (const core::Failure&) {
  }
}

// The log may restart with the next commit, so until then its length is unknown.
void WriteAheadLog::checkpoint() {
  note_.pages = 0;
  note(Folder::Reach::kSynced);
  pages_ = database_->log_pages();
  database_->exec("PRAGMA wal_checkpoint(PASSIVE)");
}

// Noted first: an empty log that is not noted as closed counts as lost.
void WriteAheadLog::close() {
  note_ = {};
  note(Folder::Reach::kSynced);
  database_->exec("PRAGMA wal_checkpoint(TRUNCATE)");
}

void WriteAheadLog::note(Folder::Reach reach) { folder_.set_note(note_.line(), reach); }

}  // namespace zerosuite::db
