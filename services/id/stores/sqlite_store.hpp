// The embedded store: a folder used by this process alone, with a SQLite database in it, and a commit to the
// disk before every reply.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "db/commit_queue.hpp"
#include "db/state_file.hpp"
#include "id/stores/high_water_marks.hpp"
#include "id/stores/sqlite_tables.hpp"
#include "id/stores/store.hpp"
#include "net/deferred.hpp"
#include "net/offload.hpp"
#include "net/timers.hpp"

namespace zerosuite::id::stores {

struct SqliteOptions {
  std::filesystem::path folder;
  /// If the state is older than the last one or missing, continues above the floors.
  bool accept_regressed = false;
};

/// Used by one process: worker ids need no leases, since the folder's lock protects them. Belongs to the
/// loop's thread. Destroy it when it is idle, or after the offload; without close(), destruction amounts to a
/// crash.
class SqliteStore final : public Store, private db::CommitQueue::Target {
 public:
  /// Throws core::Failure, one line: StorageError if the folder cannot be used or its contents cannot be
  /// trusted; WorkerIdInUse, with folder and process, if another process has it; StoreRegressed if the latest
  /// state is missing.
  SqliteStore(net::Timers& timers, net::Offload& offload, const SqliteOptions& options);

  /// To be called before serving. Throws core::Failure StoreRegressed if the store is older than the floors
  /// (naming the key and both numbers), or if it had a floor file that is gone. With accept_regressed it
  /// raises every key to its floor instead. Then begins the floor file.
  void check(HighWaterMarks& floors);

  void reserve(const ReserveRequest& ask, core::Done<Reserved> done) override;
  /// Indeterminate if the commit failed: the range must no longer be used.
  void give_back(const Key& key, const Range& unused, core::Done<bool> done) override;
  void create_tag(const Tag& tag, core::Done<Tag> done) override;
  void update_tag(const std::string& name, const TagChange& change, core::Done<Tag> done) override;
  void delete_tag(const std::string& name, core::Done<Tag> done) override;
  void tag(const std::string& name, core::Done<Tag> done) override;
  void tags(const TagPage& page, core::Done<std::vector<Tag>> done) override;
  void claim(const Claim& claim, core::Done<Lease> done) override;
  /// Works while the disk cannot be written, too.
  void renew(const Claim& claim, const Lease& lease, core::Done<Lease> done) override;
  void release(const Claim& claim, const Lease& lease, core::Done<bool> done) override;
  void pin(const std::string& name, const std::string& value, Pin how, core::Done<std::string> done) override;

  /// These four do nothing: no other process changes this store.
  void open(const OpenRequest& bond, core::Done<std::string> done) override;
  void distrust(core::Done<bool> done) override;
  void remember(const std::vector<HighWaterMarks::Mark>& floors, core::Done<bool> done) override;
  void look(const ChangesQuery& look, core::Done<Changes> done) override;

  /// `changed` gets the error when the disk can no longer be written, and nullopt when it can again.
  void on_change(std::function<void(const std::optional<core::Error>& trouble)> changed) {
    commits_.on_change(std::move(changed));
  }
  StoreTraits traits() const override { return {"sqlite", false}; }
  std::optional<core::Error> trouble() const override { return commits_.trouble(); }

  /// Whether no transaction is in progress.
  bool idle() const { return commits_.idle(); }
  /// At the end, when it is idle: writes what is outstanding, synchronously. Returns the error if that fails.
  std::optional<core::Error> close();

 private:
  struct Holder {
    std::string owner;
    std::int64_t epoch = 0;
  };

  template <class T, class Work>
  void ask(Work work, core::Done<T> done);
  template <class T>
  void answer_later(core::Done<T> done, core::Result<T> result);
  void check_file() const;
  void write(std::vector<db::CommitQueue::Work>& works) override;
  void check_all(HighWaterMarks& floors);
  void raise_all(HighWaterMarks& floors);

  const bool accept_regressed_;
  db::StateFile file_;
  std::optional<SqliteTables> tables_;
  db::CommitQueue commits_;
  std::map<std::int64_t, Holder> holders_;  // from the results of claim() and release()
  net::Deferred answers_;                   // of calls that do not wait for the disk
};

}  // namespace zerosuite::id::stores
