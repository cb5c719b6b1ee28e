#include "lock/engines/hold_store.hpp"

#include <string_view>
#include <utility>

#include "core/text.hpp"

namespace zerosuite::lock::engines {
namespace {

namespace fs = std::filesystem;

// The file's version. Version 1 has only the latest request_id of a hold, and neither `confirm` nor `held`.
constexpr std::int64_t kVersion = 2;

constexpr std::string_view kMakeHold =
    "CREATE TABLE hold(token INTEGER PRIMARY KEY, names TEXT, owner TEXT, mode INTEGER, permits INTEGER, "
    "permit_limit INTEGER, lease_ms INTEGER, lock_delay_ms INTEGER, count INTEGER, records TEXT, data TEXT, "
    "confirm_ms INTEGER, held_ms INTEGER, checksum INTEGER)";
// In reading order.
constexpr std::string_view kColumns =
    "token, names, owner, mode, permits, permit_limit, lease_ms, lock_delay_ms, count, data, checksum, ";
constexpr std::string_view kMakeMeta =
    "CREATE TABLE meta(id INTEGER PRIMARY KEY, durability INTEGER, clean INTEGER, token_limit INTEGER, "
    "max_lease_ms INTEGER, epoch INTEGER, checksum INTEGER, probes INTEGER)";

// Each name with its length prepended, as in "3:one5:three": a name may contain any byte.
std::string packed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += std::to_string(name.size()) + ':' + name;
  return text;
}

// Removes and returns the text up to `end`; `end` is removed too.
std::string_view taken(std::string_view& text, char end) {
  const std::string_view part = text.substr(0, text.find(end));
  text.remove_prefix(std::min(text.size(), part.size() + 1));
  return part;
}

// Removes and returns a text with its length prepended.
std::string unpacked_text(std::string_view& text) {
  const auto size = core::parse<std::size_t>(taken(text, ':')).value_or(0);
  std::string found(text.substr(0, size));
  text.remove_prefix(std::min(text.size(), size));
  return found;
}

std::vector<std::string> unpacked(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) names.push_back(unpacked_text(text));
  return names;
}

constexpr char kAcquired = 'a';
constexpr char kReleased = 'r';

// As in "a1:5:entry" and "r0:4:left".
std::string packed(const std::vector<Record>& records) {
  std::string text;
  for (const Record& record : records) {
    text += record.kind == Record::Kind::kAcquire ? kAcquired : kReleased;
    text += std::to_string(record.count) + ':' + std::to_string(record.request_id.size()) + ':';
    text += record.request_id;
  }
  return text;
}

std::vector<Record> unpacked_records(std::string_view text) {
  std::vector<Record> records;
  while (!text.empty()) {
    Record record;
    record.kind = text.front() == kAcquired ? Record::Kind::kAcquire : Record::Kind::kRelease;
    text.remove_prefix(1);
    record.count = core::parse<std::uint32_t>(taken(text, ':')).value_or(0);
    record.request_id = unpacked_text(text);
    records.push_back(std::move(record));
  }
  return records;
}

// SQLite checks its structure, not the stored values. FNV-1a
// (https://datatracker.ietf.org/doc/draft-eastlake-fnv/): against corruption, not against malice.
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

// Of a hold's row, with `names` and `records` as stored.
Checksum checksum_of(Token token, const LockSpec& spec, std::string_view names, std::string_view records) {
  return Checksum()
      .add(token)
      .add(names)
      .add(spec.owner)
      .add(static_cast<std::int64_t>(spec.mode))
      .add(spec.permits)
      .add(spec.limit)
      .add(spec.lease.count())
      .add(spec.lock_delay.count())
      .add(spec.count)
      .add(records)
      .add(spec.data);
}

Checksum& add_newer(Checksum& checksum, const LockSpec& spec) {
  return checksum.add(spec.confirm.count()).add(spec.held.count());
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

db::StateFormat format(const fs::path& folder) {
  const std::string advice = "; to go on, move " + folder.string() +
                             " away and start with an empty folder, once the longest lease ever granted has "
                             "passed";
  return {.file = "locks.db",
          .mark = "zerosuite-lock",
          .kind = "a lock database",
          .application_id = 0x5a534c4b,  // "ZSLK"
          .version = kVersion,
          .schema = {kMakeHold, kMakeMeta},
          .advice = advice,
          .version_advice = advice};
}

}  // namespace

struct HoldStore::Statements {
  explicit Statements(const db::Database& database)
      : put(database.prepare("REPLACE INTO hold VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, "
                             "?13, ?14)")),
        drop(database.prepare("DELETE FROM hold WHERE token = ?1")),
        put_meta(database.prepare("REPLACE INTO meta VALUES(1, ?1, ?2, ?3, ?4, ?5, ?6, 0)")),
        probe(database.prepare("UPDATE meta SET probes = probes + 1")) {}

  db::Statement put;
  db::Statement drop;
  db::Statement put_meta;
  db::Statement probe;
};

HoldStore::~HoldStore() = default;

HoldStore::HoldStore(const fs::path& folder) : file_(folder, format(folder)) {
  file_.open(db::StateFile::IfGone::kRefuse);
  file_.guarded([this] { read_recovered(); });
}

void HoldStore::read_recovered() {
  recovered_holds_.log = file_.log();
  auto meta = file_.database().prepare(
      "SELECT durability, clean, token_limit, max_lease_ms, epoch, checksum FROM meta");
  if (meta.step()) {
    recovered_holds_.meta = Meta{static_cast<Durability>(meta.integer(0)), meta.integer(1) != 0,
                                 meta.integer(2), meta.integer(3), meta.integer(4)};
    if (meta.integer(5) != checksum_of(*recovered_holds_.meta))
      file_.refuse("is damaged: its meta row is not what was written");
  } else if (file_.known()) {
    file_.refuse("is damaged: its meta row is gone");
  }
  recovered_holds_.rows = read_rows();
  // The log covers only the time since the last stop.
  if (recovered_holds_.log == db::LogState::kMissing &&
      (!recovered_holds_.meta || recovered_holds_.meta->clean))
    recovered_holds_.log = db::LogState::kWhole;
}

std::map<Token, Row> HoldStore::read_rows() const {
  std::map<Token, Row> rows;
  const bool newest = file_.version() == kVersion;
  auto hold =
      file_.database().prepare("SELECT " + std::string(kColumns) +
                               (newest ? "records, confirm_ms, held_ms" : "request_id, 0, 0") + " FROM hold");
  while (hold.step()) {
    const Token token = hold.integer(0);
    const std::string names = hold.text(1);
    const std::string records = hold.text(11);
    auto spec = std::make_shared<LockSpec>();
    spec->owner = hold.text(2);
    spec->mode = static_cast<Mode>(hold.integer(3));
    spec->permits = static_cast<std::uint32_t>(hold.integer(4));
    spec->limit = static_cast<std::uint32_t>(hold.integer(5));
    spec->lease = core::milliseconds(hold.integer(6));
    spec->lock_delay = core::milliseconds(hold.integer(7));
    spec->count = static_cast<std::uint32_t>(hold.integer(8));
    spec->data = hold.text(9);
    spec->confirm = core::milliseconds(hold.integer(12));
    spec->held = core::milliseconds(hold.integer(13));
    Checksum checksum = checksum_of(token, *spec, names, records);
    if (newest) add_newer(checksum, *spec);
    if (hold.integer(10) != checksum.value())
      file_.refuse("is damaged: the row of token " + std::to_string(token) + " is not what was written");
    spec->names = unpacked(names);
    if (newest) {
      spec->records = unpacked_records(records);
    } else if (!records.empty()) {
      spec->records = {{Record::Kind::kAcquire, records, spec->count}};
    }
    rows.emplace(token, std::move(spec));
  }
  return rows;
}

void HoldStore::begin(const Meta& meta, bool forget_rows) {
  file_.start([&] {
    if (file_.version() != kVersion) {
      upgrade();
    } else {
      statements_ = std::make_unique<Statements>(file_.database());
    }
    put(meta);
    if (forget_rows) file_.database().exec("DELETE FROM hold");
  });
}

void HoldStore::upgrade() {
  const std::map<Token, Row> rows = read_rows();
  file_.database().exec("DROP TABLE hold");
  file_.database().exec(kMakeHold);
  statements_ = std::make_unique<Statements>(file_.database());
  for (const auto& [token, row] : rows) put(token, *row);
}

void HoldStore::write(const Batch& batch) {
  try {
    if (batch.meta) keep(*batch.meta);
    if (!batch.changes.empty() || !batch.meta) commit(batch.changes);
  } catch (const core::Failure&) {
    file_.roll_back();
    throw;
  }
}

// Writes to the file at once: it must still bound what a damaged log may have lost.
void HoldStore::keep(const Meta& meta) {
  file_.begin();
  put(meta);
  file_.commit();
  meta.clean ? file_.finish() : file_.checkpoint();
}

void HoldStore::commit(const std::map<Token, Change>& changes) {
  file_.begin();
  for (const auto& [token, change] : changes) {
    if (change.row != nullptr) {
      put(token, *change.row);
    } else {
      statements_->drop.bind(1, token).run();
    }
  }
  if (changes.empty()) statements_->probe.run();
  file_.commit();
}

void HoldStore::put(const Meta& meta) {
  statements_->put_meta.bind(1, static_cast<std::int64_t>(meta.durability))
      .bind(2, meta.clean)
      .bind(3, meta.token_limit)
      .bind(4, meta.max_lease_ms)
      .bind(5, meta.epoch)
      .bind(6, checksum_of(meta))
      .run();
}

void HoldStore::put(Token token, const LockSpec& spec) {
  const std::string names = packed(spec.names);
  const std::string records = packed(spec.records);
  Checksum checksum = checksum_of(token, spec, names, records);
  statements_->put.bind(1, token)
      .bind(2, names)
      .bind(3, spec.owner)
      .bind(4, static_cast<std::int64_t>(spec.mode))
      .bind(5, spec.permits)
      .bind(6, spec.limit)
      .bind(7, spec.lease.count())
      .bind(8, spec.lock_delay.count())
      .bind(9, spec.count)
      .bind(10, records)
      .bind(11, spec.data)
      .bind(12, spec.confirm.count())
      .bind(13, spec.held.count())
      .bind(14, add_newer(checksum, spec).value())
      .run();
}

}  // namespace zerosuite::lock::engines
