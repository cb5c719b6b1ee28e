// The embedded store: a folder of this process alone, SQLite in it, and a commit to the disk before every
// answer.
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
#include "net/offload.hpp"
#include "net/timers.hpp"

namespace zerosuite::id::stores {

struct SqliteOptions {
  std::filesystem::path folder;
  /// Goes on, above what the floors say, where an older state than the last is found or none at all.
  bool accept_regressed = false;
};

/// Of one process: worker ids need no leases, the folder's lock keeps them. Belongs to the loop's thread. To
/// be destroyed when it is idle, or after the offload; unless it was closed, that is the same as a crash.
class SqliteStore final : public Store, private db::CommitQueue::Target {
 public:
  /// Throws core::Failure, one line: StorageError when the folder cannot be used or what is in it cannot be
  /// trusted; WorkerIdInUse, with folder and process, when another process has it; StoreRegressed when what
  /// was given out last is missing.
  SqliteStore(net::Timers& timers, net::Offload& offload, const SqliteOptions& options);

  /// Before anything is served: throws core::Failure StoreRegressed, which names the key and both numbers,
  /// when the store is older than the floors, or when they are gone though it had some. If that is accepted,
  /// raises every key to its floor instead. Then begins the floor file.
  void check(HighWaterMarks& floors);

  void reserve(const ReserveRequest& ask, core::Done<Reserved> done) override;
  /// Indeterminate when the disk failed: the range must not be used any more.
  void give_back(const Key& key, const Range& unused, core::Done<bool> done) override;
  void create_tag(const Tag& tag, core::Done<Tag> done) override;
  void update_tag(const std::string& name, const TagChange& change, core::Done<Tag> done) override;
  void delete_tag(const std::string& name, core::Done<Tag> done) override;
  void tag(const std::string& name, core::Done<Tag> done) override;
  void tags(const TagPage& page, core::Done<std::vector<Tag>> done) override;
  void claim(const Claim& claim, core::Done<Lease> done) override;
  /// Also while nothing can be written.
  void renew(const Claim& claim, const Lease& lease, core::Done<Lease> done) override;
  void release(const Claim& claim, const Lease& lease, core::Done<bool> done) override;
  void pin(const std::string& name, const std::string& value, Pin how, core::Done<std::string> done) override;

  /// A store of one process is what it is, and nobody else changes it.
  void open(const OpenRequest& bond, core::Done<std::string> done) override;
  void distrust(core::Done<bool> done) override;
  void remember(const std::vector<HighWaterMarks::Mark>& floors, core::Done<bool> done) override;
  void look(const ChangesQuery& look, core::Done<Changes> done) override;

  /// `changed` hears when the disk takes nothing any more, and nullopt when it does again.
  void on_change(std::function<void(const std::optional<core::Error>& trouble)> changed) {
    commits_.on_change(std::move(changed));
  }
  StoreTraits traits() const override { return {"sqlite", false}; }
  std::optional<core::Error> trouble() const override { return commits_.trouble(); }

  /// Whether no transaction is on its way.
  bool idle() const { return commits_.idle(); }
  /// At the end, when it is idle: writes what is outstanding, in this call. Returns why it could not.
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
  void answer();
  void check_file() const;
  void write(std::vector<db::CommitQueue::Work>& works) override;
  void check_all(HighWaterMarks& floors);
  void raise_all(HighWaterMarks& floors);

  const bool accept_regressed_;
  db::StateFile file_;
  std::optional<SqliteTables> tables_;
  db::CommitQueue commits_;
  std::map<std::int64_t, Holder> holders_;           // as answered
  std::vector<core::MoveFunction<void()>> answers_;  // of calls that need not wait for the disk
  net::Timer turn_ends_;
};

}  // namespace zerosuite::id::stores
