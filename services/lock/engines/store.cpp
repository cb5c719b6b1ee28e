#include "lock/engines/store.hpp"

#include <charconv>
#include <string_view>
#include <utility>

namespace zerosuite::lock::engines {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kApplicationId = 0x5a534c4b;  // "ZSLK"
constexpr std::int64_t kVersion = 1;
constexpr std::string_view kMark = "zerosuite-lock";
// A log this long is worked into the file; SQLite's own default.
constexpr int kLogPages = 1000;

constexpr std::string_view kMakeHold =
    "CREATE TABLE hold(token INTEGER PRIMARY KEY, names TEXT, owner TEXT, mode INTEGER, permits INTEGER, "
    "permit_limit INTEGER, lease_ms INTEGER, lock_delay_ms INTEGER, count INTEGER, request_id TEXT, data "
    "TEXT, "
    "checksum INTEGER)";
constexpr std::string_view kMakeMeta =
    "CREATE TABLE meta(id INTEGER PRIMARY KEY, durability INTEGER, clean INTEGER, token_limit INTEGER, "
    "max_lease_ms INTEGER, epoch INTEGER, checksum INTEGER, probes INTEGER)";

// Each name with its length in front, as in "3:one5:three": a name may hold any byte.
std::string packed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += std::to_string(name.size()) + ':' + name;
  return text;
}

std::vector<std::string> unpacked(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    std::size_t size = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
    names.emplace_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return names;
}

// SQLite checks its structure, not what stands in it. FNV-1a
// (https://datatracker.ietf.org/doc/draft-eastlake-fnv/): against decay, not against malice.
class Checksum {
 public:
  Checksum& add(std::string_view text) {
    add(static_cast<std::int64_t>(text.size()));
    for (const char c : text) add_byte(static_cast<unsigned char>(c));
    return *this;
  }
  Checksum& add(std::int64_t number) {
    for (int byte = 0; byte < 8; ++byte)
      add_byte(static_cast<unsigned char>(static_cast<std::uint64_t>(number) >> (8 * byte)));
    return *this;
  }
  std::int64_t value() const { return static_cast<std::int64_t>(value_); }

 private:
  void add_byte(unsigned char byte) { value_ = (value_ ^ byte) * 0x100000001b3; }

  std::uint64_t value_ = 0xcbf29ce484222325;
};

std::int64_t checksum_of(Token token, const Claim& claim, std::string_view names) {
  return Checksum()
      .add(token)
      .add(names)
      .add(claim.owner)
      .add(static_cast<std::int64_t>(claim.mode))
      .add(claim.permits)
      .add(claim.limit)
      .add(claim.lease.count())
      .add(claim.lock_delay.count())
      .add(claim.count)
      .add(claim.request_id)
      .add(claim.data)
      .value();
}

std::int64_t checksum_of(const Meta& meta) {
  return Checksum()
      .add(static_cast<std::int64_t>(meta.durability))
      .add(meta.clean)
      .add(meta.token_limit)
      .add(meta.max_lease_ms)
      .add(meta.epoch)
      .value();
}

}  // namespace

struct Store::Statements {
  explicit Statements(const db::Database& database)
      : begin(database.prepare("BEGIN IMMEDIATE")),
        commit(database.prepare("COMMIT")),
        put(database.prepare("REPLACE INTO hold VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)")),
        drop(database.prepare("DELETE FROM hold WHERE token = ?1")),
        put_meta(database.prepare("REPLACE INTO meta VALUES(1, ?1, ?2, ?3, ?4, ?5, ?6, 0)")),
        probe(database.prepare("UPDATE meta SET probes = probes + 1")) {}

  db::Statement begin;
  db::Statement commit;
  db::Statement put;
  db::Statement drop;
  db::Statement put_meta;
  db::Statement probe;
};

Store::~Store() = default;

Store::Store(const fs::path& folder) : folder_(folder), file_(folder_.path() / "locks.db") {
  std::error_code error;
  const auto size = fs::file_size(file_, error);
  if ((error || size == 0) && !folder_.mark().empty()) refuse("is gone, though the folder was in use");
  legacy_.log = db::scan_log(file_.string() + "-wal");
  try {
    open();
    read_legacy();
  } catch (const db::SqliteFailure& failure) {
    if (!failure.damaged()) throw;
    refuse(std::string(failure.what()).substr(file_.string().size() + 2));
  }
}

void Store::open() {
  database_.emplace(file_);
  // The folder's lock keeps others out, so the log's index may live in memory.
  database_->exec("PRAGMA locking_mode = EXCLUSIVE");
  database_->exec("PRAGMA synchronous = FULL");
  if (is_new()) {
    // In one transaction, before the log is switched on: there is no half-made file to find after a crash.
    database_->exec("BEGIN IMMEDIATE");
    database_->exec("PRAGMA application_id = " + std::to_string(kApplicationId));
    database_->exec("PRAGMA user_version = " + std::to_string(kVersion));
    database_->exec(kMakeHold);
    database_->exec(kMakeMeta);
    database_->exec("COMMIT");
  }
  if (database_->integer("PRAGMA application_id") != kApplicationId) refuse("is not a lock database");
  if (database_->integer("PRAGMA user_version") != kVersion)
    refuse("was written by another version of this program");
  if (const std::string found = database_->text("PRAGMA quick_check(1)"); found != "ok")
    refuse("is damaged: " + found.substr(0, found.find('\n')));
  if (database_->text("PRAGMA journal_mode = WAL") != "wal") refuse("cannot have a write-ahead log");
  statements_ = std::make_unique<Statements>(*database_);
}

bool Store::is_new() const {
  return folder_.mark().empty() && database_->integer("PRAGMA application_id") == 0 &&
         database_->integer("PRAGMA user_version") == 0 &&
         database_->integer("SELECT count(*) FROM sqlite_schema") == 0;
}

void Store::read_legacy() {
  auto meta =
      database_->prepare("SELECT durability, clean, token_limit, max_lease_ms, epoch, checksum FROM meta");
  if (meta.step()) {
    legacy_.meta = Meta{static_cast<Durability>(meta.integer(0)), meta.integer(1) != 0, meta.integer(2),
                        meta.integer(3), meta.integer(4)};
    if (meta.integer(5) != checksum_of(*legacy_.meta))
      refuse("is damaged: its meta row is not what was written");
  } else if (!folder_.mark().empty()) {
    refuse("is damaged: its meta row is gone");
  }
  auto hold = database_->prepare("SELECT * FROM hold");
  while (hold.step()) {
    const Token token = hold.integer(0);
    const std::string names = hold.text(1);
    auto claim = std::make_shared<Claim>(Claim{{},
                                               hold.text(2),
                                               static_cast<Mode>(hold.integer(3)),
                                               static_cast<std::uint32_t>(hold.integer(4)),
                                               static_cast<std::uint32_t>(hold.integer(5)),
                                               core::milliseconds(hold.integer(6)),
                                               core::milliseconds(hold.integer(7)),
                                               static_cast<std::uint32_t>(hold.integer(8)),
                                               hold.text(9),
                                               hold.text(10)});
    if (hold.integer(11) != checksum_of(token, *claim, names))
      refuse("is damaged: the row of token " + std::to_string(token) + " is not what was written");
    claim->names = unpacked(names);
    legacy_.rows.emplace(token, std::move(claim));
  }
}

void Store::begin(const Meta& meta, bool forget_rows) {
  keep(meta);
  if (forget_rows) database_->exec("DELETE FROM hold");
  if (folder_.mark().empty()) folder_.set_mark(kMark);
}

void Store::write(const Batch& batch) {
  try {
    // First, so that its failure is that of this batch.
    if (database_->log_pages() > kLogPages) database_->exec("PRAGMA wal_checkpoint(PASSIVE)");
    if (batch.meta) keep(*batch.meta);
    if (!batch.meta && batch.changes.empty()) statements_->probe.run();
    if (!batch.changes.empty()) commit(batch.changes);
  } catch (const db::SqliteFailure&) {
    database_->roll_back();
    throw;
  }
}

// Into the file at once: what a damaged log may have lost, the file must still bound.
void Store::keep(const Meta& meta) {
  statements_->put_meta.bind(1, static_cast<std::int64_t>(meta.durability))
      .bind(2, meta.clean)
      .bind(3, meta.token_limit)
      .bind(4, meta.max_lease_ms)
      .bind(5, meta.epoch)
      .bind(6, checksum_of(meta))
      .run();
  database_->exec(meta.clean ? "PRAGMA wal_checkpoint(TRUNCATE)" : "PRAGMA wal_checkpoint(PASSIVE)");
}

void Store::commit(const std::map<Token, Change>& changes) {
  statements_->begin.run();
  for (const auto& [token, change] : changes) {
    if (change.row != nullptr) {
      put(token, *change.row);
    } else {
      statements_->drop.bind(1, token).run();
    }
  }
  statements_->commit.run();
}

void Store::put(Token token, const Claim& claim) {
  const std::string names = packed(claim.names);
  statements_->put.bind(1, token)
      .bind(2, names)
      .bind(3, claim.owner)
      .bind(4, static_cast<std::int64_t>(claim.mode))
      .bind(5, claim.permits)
      .bind(6, claim.limit)
      .bind(7, claim.lease.count())
      .bind(8, claim.lock_delay.count())
      .bind(9, claim.count)
      .bind(10, claim.request_id)
      .bind(11, claim.data)
      .bind(12, checksum_of(token, claim, names))
      .run();
}

void Store::refuse(const std::string& what) const {
  throw core::Failure(core::kStorageError, file_.string() + " " + what + "; to go on, move " +
                                               folder_.path().string() +
                                               " away and start with an empty folder, once the longest lease "
                                               "ever granted has passed");
}

}  // namespace zerosuite::lock::engines
