#include "id/stores/sqlite_store.hpp"

#include <exception>
#include <memory>
#include <utility>

#include "core/json.hpp"

namespace zerosuite::id::stores {
namespace {

constexpr const char* kGoOn =
    "; if an old copy was restored, or the floor file was lost, start with --accept-regressed to go on above "
    "what is in it";

constexpr const char* kAccept =
    "; to go on, start with --accept-regressed, which begins above what the floor file says was given out";

template <class Visit>
void for_each(HighWaterMarks& floors, Visit visit) {
  std::string last;
  for (auto some = floors.after(last); !some.empty(); some = floors.after(last)) {
    for (const auto& [key, floor] : some) visit(key, floor);
    last = some.back().first;
  }
}

db::StateFile locked(const std::filesystem::path& folder) {
  try {
    return db::StateFile(folder, SqliteTables::format());
  } catch (const db::FolderInUse& failure) {
    throw core::Failure(core::kWorkerIdInUse, std::string(failure.what()) + ", which has its worker ids");
  }
}

}  // namespace

SqliteStore::SqliteStore(net::Timers& timers, net::Offload& offload, const SqliteOptions& options)
    : accept_regressed_(options.accept_regressed),
      file_(locked(options.folder)),
      commits_(timers, offload, *this),
      answers_(timers) {
  if (!accept_regressed_) check_file();
  file_.open(accept_regressed_ ? db::StateFile::IfGone::kMakeAnew : db::StateFile::IfGone::kRefuse);
  tables_.emplace(file_);
}

// A torn last commit was never acknowledged; if it had been, the floors would reveal it.
void SqliteStore::check_file() const {
  const auto refuse = [this](const char* what) {
    throw core::Failure(core::kStoreRegressed, file_.path().string() + what + kAccept);
  };
  if (file_.gone()) refuse(" is gone, though the folder was in use");
  if (file_.log() == db::LogState::kMissing && file_.log_was_open())
    refuse(" has lost its write-ahead log since a crash: what was given out last may be missing");
  if (file_.log() == db::LogState::kDamaged)
    refuse(" has a damaged write-ahead log: what was given out last is missing");
}

void SqliteStore::write(std::vector<db::CommitQueue::Work>& works) {
  try {
    file_.begin();
    if (works.empty()) tables_->probe();
    for (auto& work : works) work();
    file_.commit();
  } catch (const std::exception&) {
    file_.roll_back();
    throw;
  }
}

void SqliteStore::check(HighWaterMarks& floors) {
  if (accept_regressed_) {
    raise_all(floors);
  } else {
    check_all(floors);
  }
  floors.begin();
  if (!tables_->floored()) tables_->set_floored();
}

void SqliteStore::check_all(HighWaterMarks& floors) {
  if (!floors.found() && tables_->floored())
    throw core::Failure(core::kStoreRegressed, file_.path().string() + " had a floor file, and " +
                                                   floors.path().string() + " is not there" + kGoOn);
  for_each(floors, [&](const std::string& key, std::int64_t floor) {
    const std::int64_t stored = tables_->next(key);
    if (stored >= floor) return;
    throw core::Failure(
        core::kStoreRegressed,

        file_.path().string() + " has forgotten what it gave out, by " + floors.path().string() + kGoOn,
        core::Json().add("key", key).add("stored", stored).add("floor", floor));
  });
}

void SqliteStore::raise_all(HighWaterMarks& floors) {
  file_.begin();
  for_each(floors, [&](const std::string& key, std::int64_t floor) { tables_->raise(key, floor); });
  file_.commit();
}

template <class T, class Work>
void SqliteStore::ask(Work work, core::Done<T> done) {
  const auto result = std::make_shared<std::optional<core::Result<T>>>();
  commits_.add({.work = [this, result, work = std::move(work)] { result->emplace(work(*tables_)); },
                .done =
                    [result, done = std::move(done)](const core::Error* trouble) mutable {
                      if (trouble != nullptr) return done(*trouble);
                      done(**std::move(result));
                    }});
}

void SqliteStore::reserve(const ReserveRequest& ask, core::Done<Reserved> done) {
  if (ask.count < 1)
    throw core::Failure(core::kInvalidArgument, "a range of " + std::to_string(ask.count) + " values");
  this->ask<Reserved>([ask](SqliteTables& tables) { return tables.reserve(ask); }, std::move(done));
}

void SqliteStore::give_back(const Key& key, const Range& unused, core::Done<bool> done) {
  const bool before = commits_.trouble().has_value();
  const auto result = std::make_shared<bool>(false);
  commits_.add({.work = [this, result, key, unused] { *result = tables_->give_back(key, unused); },
                .done =
                    [this, before, result, done = std::move(done)](const core::Error* trouble) mutable {
                      if (trouble == nullptr) return done(*result);
                      // A failed commit may still be on the disk, and take effect at the next start.
                      const bool doubtful = commits_.failed_for_good() && !before;
                      done(core::Error{doubtful ? core::kIndeterminate : core::kStorageError,
                                       trouble->message, trouble->details});
                    }});
}

void SqliteStore::create_tag(const Tag& tag, core::Done<Tag> done) {
  ask<Tag>([tag](SqliteTables& tables) { return tables.create_tag(tag); }, std::move(done));
}

void SqliteStore::update_tag(const std::string& name, const TagChange& change, core::Done<Tag> done) {
  ask<Tag>([name, change](SqliteTables& tables) { return tables.update_tag(name, change); }, std::move(done));
}

void SqliteStore::delete_tag(const std::string& name, core::Done<Tag> done) {
  ask<Tag>([name](SqliteTables& tables) { return tables.delete_tag(name); }, std::move(done));
}

void SqliteStore::tag(const std::string& name, core::Done<Tag> done) {
  ask<Tag>([name](SqliteTables& tables) { return tables.tag(name); }, std::move(done));
}

void SqliteStore::tags(const TagPage& page, core::Done<std::vector<Tag>> done) {
  ask<std::vector<Tag>>([page](SqliteTables& tables) { return tables.tags(page); }, std::move(done));
}

void SqliteStore::claim(const Claim& claim, core::Done<Lease> done) {
  ask<Lease>([claim](SqliteTables& tables) { return tables.claim(claim); },
             [this, owner = claim.owner, done = std::move(done)](core::Result<Lease> lease) mutable {
               if (lease) holders_[lease->worker] = {owner, lease->epoch};
               done(std::move(lease));
             });
}

void SqliteStore::renew(const Claim& claim, const Lease& lease, core::Done<Lease> done) {
  const auto holder = holders_.find(lease.worker);
  if (holder == holders_.end() || holder->second.owner != claim.owner || holder->second.epoch != lease.epoch)
    return answer_later<Lease>(
        std::move(done), core::Error{core::kLeaseLost, "the worker id was given back, or is another's"});
  answer_later<Lease>(std::move(done), Lease{.worker = lease.worker, .epoch = lease.epoch});
}

void SqliteStore::release(const Claim& claim, const Lease& lease, core::Done<bool> done) {
  ask<bool>([claim, lease](SqliteTables& tables) { return tables.release(claim, lease); },
            [this, worker = lease.worker, done = std::move(done)](core::Result<bool> released) mutable {
              if (released && *released) holders_.erase(worker);
              done(std::move(released));
            });
}

void SqliteStore::pin(const std::string& name, const std::string& value, Pin how,
                      core::Done<std::string> done) {
  ask<std::string>([name, value, how](SqliteTables& tables) { return tables.pin(name, value, how); },
                   std::move(done));
}

void SqliteStore::open(const OpenRequest&, core::Done<std::string> done) {
  answer_later<std::string>(std::move(done), std::string());
}

void SqliteStore::distrust(core::Done<bool> done) { answer_later<bool>(std::move(done), true); }

void SqliteStore::remember(const std::vector<HighWaterMarks::Mark>&, core::Done<bool> done) {
  answer_later<bool>(std::move(done), true);
}

void SqliteStore::look(const ChangesQuery&, core::Done<Changes> done) {
  answer_later<Changes>(std::move(done), Changes{});
}

// Runs `done` at the end of this turn.
template <class T>
void SqliteStore::answer_later(core::Done<T> done, core::Result<T> result) {
  answers_.add([done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
}

std::optional<core::Error> SqliteStore::close() {
  answers_.run();
  if (auto error = commits_.close()) return error;
  try {
    file_.finish();
  } catch (const core::Failure& failure) {
    return failure.error();
  }
  return std::nullopt;
}

}  // namespace zerosuite::id::stores
