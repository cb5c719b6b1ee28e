#include "id/stores/sqlite_store.hpp"

#include <cstddef>
#include <memory>
#include <utility>

#include "core/json.hpp"

namespace zerosuite::id::stores {
namespace {

constexpr const char* kGoOn =
    "; if an old copy was restored, or the floor file was lost, start with --accept-regressed to go on above "
    "what is in it";

template <class Visit>
void for_each(HighWaterMarks& floors, Visit visit) {
  std::string last;
  for (auto some = floors.after(last); !some.empty(); some = floors.after(last)) {
    for (const auto& [key, floor] : some) visit(key, floor);
    last = some.back().first;
  }
}

}  // namespace

SqliteStore::SqliteStore(net::Timers& timers, net::Offload& offload, const SqliteOptions& options)
    : accept_regressed_(options.accept_regressed),
      file_(options.folder, options.accept_regressed),
      tables_(file_.database(), file_.run()),
      commits_(timers, offload, file_, tables_) {}

void SqliteStore::check(HighWaterMarks& floors) {
  if (accept_regressed_) {
    raise_all(floors);
  } else {
    check_all(floors);
  }
  floors.begin();
  if (!tables_.floored()) tables_.set_floored();
}

void SqliteStore::check_all(HighWaterMarks& floors) {
  if (!floors.found() && tables_.floored())
    throw core::Failure(core::kStoreRegressed, file_.path().string() + " had a floor file, and " +
                                                   floors.path().string() + " is not there" + kGoOn);
  for_each(floors, [&](const std::string& key, std::int64_t floor) {
    const std::int64_t stored = tables_.next(key);
    if (stored >= floor) return;
    throw core::Failure(
        core::kStoreRegressed,

        file_.path().string() + " has forgotten what it gave out, by " + floors.path().string() + kGoOn,
        core::Json().add("key", key).add("stored", stored).add("floor", floor));
  });
}

void SqliteStore::raise_all(HighWaterMarks& floors) {
  file_.begin();
  for_each(floors, [&](const std::string& key, std::int64_t floor) { tables_.raise(key, floor); });
  file_.commit();
}

template <class T, class Work>
void SqliteStore::ask(Work work, core::Done<T> done) {
  const auto result = std::make_shared<std::optional<core::Result<T>>>();
  commits_.add({[result, work = std::move(work)](SqliteTables& tables) { result->emplace(work(tables)); },
                [result, done = std::move(done)](const SqliteCommits::Trouble* trouble) mutable {
                  if (trouble != nullptr) return done(trouble->error);
                  done(**std::move(result));
                }});
}

void SqliteStore::reserve(const ReserveRequest& ask, core::Done<Reserved> done) {
  if (ask.count < 1)
    throw core::Failure(core::kInvalidArgument, "a range of " + std::to_string(ask.count) + " values");
  this->ask<Reserved>([ask](SqliteTables& tables) { return tables.reserve(ask); }, std::move(done));
}

void SqliteStore::give_back(const Key& key, const Range& unused, core::Done<bool> done) {
  const bool before = commits_.trouble() != nullptr;
  const auto result = std::make_shared<bool>(false);
  commits_.add({[result, key, unused](SqliteTables& tables) { *result = tables.give_back(key, unused); },
                [before, result, done = std::move(done)](const SqliteCommits::Trouble* trouble) mutable {
                  if (trouble == nullptr) return done(*result);
                  // A commit that failed may be on the disk after all, and count at the next start.
                  const bool doubtful = trouble->doubtful && !before;
                  done(core::Error{doubtful ? core::kIndeterminate : core::kStorageError,
                                   trouble->error.message, trouble->error.details});
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
    return done(core::Error{core::kLeaseLost, "the worker id was given back, or is another's"});
  done(Lease{.worker = lease.worker, .epoch = lease.epoch});
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

std::optional<core::Error> SqliteStore::trouble() const {
  if (const auto* trouble = commits_.trouble()) return trouble->error;
  return std::nullopt;
}

std::optional<core::Error> SqliteStore::close() {
  commits_.close();
  if (auto error = trouble()) return error;
  try {
    file_.finish();
  } catch (const core::Failure& failure) {
    return failure.error();
  }
  return std::nullopt;
}

}  // namespace zerosuite::id::stores
