// What is still to be written of the engine's table, gathered for the next commit.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "core/error.hpp"
#include "db/commit_queue.hpp"
#include "lock/engines/hold_store.hpp"
#include "net/offload.hpp"
#include "net/timers.hpp"

namespace zerosuite::lock::engines {

/// How many tokens are reserved at a time.
inline constexpr Token kTokenBlock = Token{1} << 20;

/// Belongs to the loop's thread; the store is its job's while a batch is on its way. To be destroyed when it
/// is idle, or after the offload.
class Journal final : private db::CommitQueue::Target {
 public:
  struct Setup {
    Durability durability = Durability::kSync;
    Meta meta;                      ///< As the store has it.
    std::function<void()> settled;  ///< Runs after the answers of a batch, written or not.
  };

  Journal(net::Timers& timers, net::Offload& offload, HoldStore& store, Setup setup);

  /// Who waits for what is noted here, and how it went.
  db::CommitQueue& commits() { return commits_; }
  const db::CommitQueue& commits() const { return commits_; }

  /// The row of a token that is new, or of one that is not.
  void add(Token token, Row row);
  void change(Token token, Row row);
  /// There is to be no row of it. False when there never was: nothing has to be written then.
  bool drop(Token token);

  /// The durability that the next start is to go by.
  void set_durability(Durability durability);
  /// Sees to it that tokens up to `next`, and some way on, and that lease are covered, if not at once.
  void reserve(Token next, core::milliseconds lease);
  /// No lease is longer any more.
  void shorten(core::milliseconds longest);
  /// Whether that is on the disk.
  bool covers(Token token, core::milliseconds lease) const;

  /// Writes what is outstanding and `rows` besides, all in this call; it must be idle. Returns why it could
  /// not.
  std::optional<core::Error> close(std::map<Token, Change> rows, bool clean);

 private:
  bool dirty() const override { return !changes_.empty() || meta_ != written_meta_; }
  void load() override;
  void unload() override;
  void write(std::vector<db::CommitQueue::Work>& works) override;
  void landed(const core::Error* error) override;
  void settled() override;
  void schedule();

  HoldStore& store_;
  const Setup setup_;
  std::map<Token, Change> changes_;
  Meta meta_;
  Batch flight_;
  Meta written_meta_;
  db::CommitQueue commits_;
};

}  // namespace zerosuite::lock::engines
