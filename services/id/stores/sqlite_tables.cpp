#include "id/stores/sqlite_tables.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "id/stores/store_errors.hpp"

namespace zerosuite::id::stores {
namespace {

constexpr std::int64_t kVersion = 2;

// `base`: the value that the key's next value was set to explicitly, and does not fall below; `given`: the
// next value before that.
constexpr std::string_view kCounterTable =
    "CREATE TABLE counter(key TEXT PRIMARY KEY, next INTEGER NOT NULL, base INTEGER NOT NULL, "
    "given INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID";
constexpr std::string_view kTagTable =
    "CREATE TABLE tag(name TEXT PRIMARY KEY, step INTEGER, delta INTEGER, remainder INTEGER, max INTEGER, "
    "description TEXT) WITHOUT ROWID";

// Version 1 did not record what was given out before a key was raised, so everything below `next` counts as
// given.
constexpr std::string_view kFromVersion1[] = {
    "ALTER TABLE counter ADD COLUMN given INTEGER NOT NULL DEFAULT 0", "UPDATE counter SET given = next"};

constexpr const char* kAdvice =
    "; to go on, move it away and start with --accept-regressed, which begins above what the floor file says "
    "was given out";

// A statement in use: resets it at the end of the scope, also when an exception is thrown.
class Use {
 public:
  explicit Use(db::Statement& statement) : statement_(statement) {}
  ~Use() { statement_.reset(); }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

  db::Statement* operator->() { return &statement_; }

 private:
  db::Statement& statement_;
};

std::string key_of_tag(const std::string& name) { return Key{Key::Kind::kTag, name}.text(); }

// The end of the values that may be reserved of a tag, by its `max`.
std::int64_t end_of(const Tag& tag) {
  return std::min(tag.max, std::numeric_limits<std::int64_t>::max() - 1) + 1;
}

}  // namespace

struct SqliteTables::Statements {
  explicit Statements(const db::Database& database)
      : next(database.prepare("SELECT next FROM counter WHERE key = ?1")),
        set_next(database.prepare(
            "INSERT INTO counter VALUES(?1, ?2, 0, 0) ON CONFLICT(key) DO UPDATE SET next = ?2")),
        raise(database.prepare(
            "INSERT INTO counter VALUES(?1, ?2, ?2, 0) ON CONFLICT(key) DO UPDATE SET next = max(next, ?2), "
            "base = ?2, given = iif(next > base, next, given) WHERE ?2 > base")),
        bounds(database.prepare("SELECT next, base, given FROM counter WHERE key = ?1")),
        lower(database.prepare("UPDATE counter SET next = ?2, base = ?2, given = ?2 WHERE key = ?1")),
        give_back(database.prepare("UPDATE counter SET next = ?3 WHERE key = ?1 AND next = ?2 AND ?3 BETWEEN "
                                   "base AND next RETURNING next")),
        tag(database.prepare("SELECT * FROM tag WHERE name = ?1")),
        names(
            database.prepare("SELECT name FROM tag WHERE name > ?1 AND name >= ?2 AND (?3 = '' OR name < ?3) "
                             "ORDER BY name LIMIT ?4")),
        put_tag(database.prepare("REPLACE INTO tag VALUES(?1, ?2, ?3, ?4, ?5, ?6)")),
        drop_tag(database.prepare("DELETE FROM tag WHERE name = ?1")),
        worker(database.prepare("SELECT epoch, owner, run FROM worker WHERE worker = ?1")),
        workers(database.prepare("SELECT worker, owner FROM worker WHERE run = ?1 ORDER BY worker")),
        put_worker(database.prepare("REPLACE INTO worker VALUES(?1, ?2, ?3, ?4)")),
        pin(database.prepare("SELECT value FROM pin WHERE name = ?1")),
        put_pin(database.prepare("REPLACE INTO pin VALUES(?1, ?2)")),
        floored(database.prepare("SELECT floored FROM meta")),
        set_floored(database.prepare("UPDATE meta SET floored = 1")),
        probe(database.prepare("UPDATE meta SET probes = probes + 1")) {}

  db::Statement next;
  db::Statement set_next;
  db::Statement raise;
  db::Statement bounds;
  db::Statement lower;
  db::Statement give_back;
  db::Statement tag;
  db::Statement names;
  db::Statement put_tag;
  db::Statement drop_tag;
  db::Statement worker;
  db::Statement workers;
  db::Statement put_worker;
  db::Statement pin;
  db::Statement put_pin;
  db::Statement floored;
  db::Statement set_floored;
  db::Statement probe;
};

struct SqliteTables::WorkerRow {
  std::int64_t epoch = 0;
  std::string owner;
  std::int64_t run = 0;  // 0 once it was released
};

db::StateFormat SqliteTables::format() {
  return {
      .file = "ids.db",
      .mark = "zerosuite-id",
      .kind = "a database of ids",
      .application_id = 0x5a534944,  // "ZSID"
      .version = kVersion,
      .schema = {kCounterTable, kTagTable,
                 "CREATE TABLE worker(worker INTEGER PRIMARY KEY, epoch INTEGER, owner TEXT, run INTEGER)",
                 "CREATE TABLE pin(name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID",
                 "CREATE TABLE meta(id INTEGER PRIMARY KEY, runs INTEGER, floored INTEGER, probes INTEGER)",
                 "INSERT INTO meta VALUES(1, 0, 0, 0)"},
      .advice = kAdvice};
}

SqliteTables::SqliteTables(db::StateFile& file) {
  const db::Database& database = file.database();
  file.start([&] {
    if (file.version() != kVersion)
      for (const std::string_view statement : kFromVersion1) database.exec(statement);
    database.exec("UPDATE meta SET runs = runs + 1");
    run_ = database.integer("SELECT runs FROM meta");
    statements_ = std::make_unique<Statements>(database);
  });
}

SqliteTables::~SqliteTables() = default;

core::Result<Reserved> SqliteTables::reserve(const ReserveRequest& ask) {
  const std::string key = ask.key.text();
  Reserved reserved;
  std::int64_t end = ask.end;
  if (ask.key.kind == Key::Kind::kTag) {
    reserved.tag = find_tag(ask.key.name);
    if (!reserved.tag) return no_such_tag(ask.key.name);
    end = std::min(end, end_of(*reserved.tag));
  }
  reserved.stored = next(key);
  const std::int64_t lo = std::max(reserved.stored, ask.floor);
  if (lo >= end) return range_exhausted(key, end);
  reserved.range = {lo, ask.count < end - lo ? lo + ask.count : end};
  Use(statements_->set_next)->bind(1, key).bind(2, reserved.range.hi).step();
  if (reserved.tag) reserved.tag->next = reserved.range.hi;
  return reserved;
}

bool SqliteTables::give_back(const Key& key, const Range& unused) {
  const std::string text = key.text();
  return Use(statements_->give_back)->bind(1, text).bind(2, unused.hi).bind(3, unused.lo).step();
}

core::Result<Tag> SqliteTables::create_tag(const Tag& tag) {
  if (find_tag(tag.name)) return tag_exists(tag.name);
  put_tag(tag);
  raise(key_of_tag(tag.name), tag.next);
  return *find_tag(tag.name);
}

core::Result<Tag> SqliteTables::update_tag(const std::string& name, const TagChange& change) {
  auto tag = find_tag(name);
  if (!tag) return no_such_tag(name);
  tag->step = change.step.value_or(tag->step);
  tag->delta = change.delta.value_or(tag->delta);
  tag->remainder = change.remainder.value_or(tag->remainder);
  tag->max = change.max.value_or(tag->max);
  tag->description = change.description.value_or(tag->description);
  if (change.floor && change.lower && *change.floor < tag->next) {
    const auto end = lower(name, *change.floor);
    if (!end) return end.error();
    tag->max = std::min(tag->max, *end - 1);
  } else if (change.floor) {
    raise(key_of_tag(name), *change.floor);
  }
  put_tag(*tag);
  return *find_tag(name);
}

// Returns the beginning of the values given out above the mistaken floor; the greatest integer if there are
// none.
core::Result<std::int64_t> SqliteTables::lower(const std::string& tag, std::int64_t floor) {
  const std::string key = key_of_tag(tag);
  Use use(statements_->bounds);
  if (!use->bind(1, key).step()) return no_such_tag(tag);
  const std::int64_t next = use->integer(0), base = use->integer(1), given = use->integer(2);
  const std::int64_t to = std::max(floor, given);
  if (to >= base) return cannot_be_lowered(tag, next);
  Use(statements_->lower)->bind(1, key).bind(2, to).step();
  return base < next ? base : std::numeric_limits<std::int64_t>::max();
}

// Its counter stays: a tag of that name that is created later continues from there.
core::Result<Tag> SqliteTables::delete_tag(const std::string& name) {
  auto tag = find_tag(name);
  if (!tag) return no_such_tag(name);
  Use(statements_->drop_tag)->bind(1, name).step();
  return *std::move(tag);
}

core::Result<Tag> SqliteTables::tag(const std::string& name) {
  auto tag = find_tag(name);
  if (!tag) return no_such_tag(name);
  return *std::move(tag);
}

std::vector<Tag> SqliteTables::tags(const TagPage& page) {
  std::vector<Tag> all;
  const std::string end = page.end().value_or("");
  Use use(statements_->names);
  use->bind(1, page.after).bind(2, page.prefix).bind(3, end).bind(4, page.limit);
  while (use->step()) all.push_back(*find_tag(use->text(0)));
  return all;
}

std::optional<Tag> SqliteTables::find_tag(const std::string& name) {
  Use use(statements_->tag);
  if (!use->bind(1, name).step()) return std::nullopt;
  return Tag{.name = name,
             .next = next(key_of_tag(name)),
             .step = use->integer(1),
             .delta = use->integer(2),
             .remainder = use->integer(3),
             .max = use->integer(4),
             .description = use->text(5)};
}

void SqliteTables::put_tag(const Tag& tag) {
  Use(statements_->put_tag)
      ->bind(1, tag.name)
      .bind(2, tag.step)
      .bind(3, tag.delta)
      .bind(4, tag.remainder)
      .bind(5, tag.max)
      .bind(6, tag.description)
      .step();
}

// The folder's lock excludes other processes: a worker id that the table assigns to an earlier run is free.
core::Result<Lease> SqliteTables::claim(const Claim& claim) {
  const auto id = claim.worker ? claim.worker : choose_worker(claim);
  if (!id) return worker_ids_exhausted(claim.workers);
  WorkerRow worker = find_worker(*id).value_or(WorkerRow{});
  const bool held = worker.run != 0;
  const bool mine = held && worker.owner == claim.owner;
  if (worker.run == run_ && !mine) return worker_id_in_use({*id, worker.owner, claim.ttl.count()});
  if (!mine) ++worker.epoch;
  Use(statements_->put_worker)->bind(1, *id).bind(2, worker.epoch).bind(3, claim.owner).bind(4, run_).step();
  return Lease{.worker = *id, .epoch = worker.epoch, .taken_over = held && !mine};
}

// The owner's own worker id if it has one, or the lowest that is not used in this process.
std::optional<std::int64_t> SqliteTables::choose_worker(const Claim& claim) {
  Use use(statements_->workers);
  use->bind(1, run_);
  std::int64_t lowest = 0;
  while (use->step()) {
    if (use->text(1) == claim.owner) return use->integer(0);
    if (use->integer(0) == lowest) ++lowest;
  }
  if (lowest >= claim.workers) return std::nullopt;
  return lowest;
}

std::optional<SqliteTables::WorkerRow> SqliteTables::find_worker(std::int64_t id) {
  Use use(statements_->worker);
  if (!use->bind(1, id).step()) return std::nullopt;
  return WorkerRow{use->integer(0), use->text(1), use->integer(2)};
}

bool SqliteTables::release(const Claim& claim, const Lease& lease) {
  const auto worker = find_worker(lease.worker);
  if (!worker || worker->run == 0 || worker->owner != claim.owner || worker->epoch != lease.epoch)
    return false;
  Use(statements_->put_worker)
      ->bind(1, lease.worker)
      .bind(2, worker->epoch)
      .bind(3, claim.owner)
      .bind(4, 0)
      .step();
  return true;
}

std::string SqliteTables::pin(const std::string& name, const std::string& value, Store::Pin how) {
  if (how == Store::Pin::kKeep) {
    Use use(statements_->pin);
    if (use->bind(1, name).step()) return use->text(0);
  }
  Use(statements_->put_pin)->bind(1, name).bind(2, value).step();
  return value;
}

std::int64_t SqliteTables::next(const std::string& key) {
  Use use(statements_->next);
  return use->bind(1, key).step() ? use->integer(0) : 0;
}

void SqliteTables::raise(const std::string& key, std::int64_t floor) {
  Use(statements_->raise)->bind(1, key).bind(2, floor).step();
}

bool SqliteTables::floored() {
  Use use(statements_->floored);
  return use->step() && use->integer(0) != 0;
}

void SqliteTables::set_floored() { Use(statements_->set_floored)->step(); }

void SqliteTables::probe() { Use(statements_->probe)->step(); }

}  // namespace zerosuite::id::stores
