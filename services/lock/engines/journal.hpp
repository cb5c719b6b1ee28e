// The unwritten changes of the engine's table, gathered for the next commit.
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

/// Loop thread only; while a batch is in flight, the store belongs to its job on the offload's thread. Must
/// be destroyed while idle, or after the offload.
class Journal final : private db::CommitQueue::Target {
 public:
  struct Setup {
    Durability durability = Durability::kSync;
    Meta meta;                      ///< As the store has it.
    std::function<void()> settled;  ///< Runs after the completions of a batch, written or not.
  };

  Journal(net::Timers& timers, net::Offload& offload, HoldStore& store, Setup setup);

  /// The queue of completions that wait for a commit, and its outcome.
  db::CommitQueue& commits() { return commits_; }
  const db::CommitQueue& commits() const { return commits_; }

  /// Sets the row of a new token, or changes that of a known one.
  void add(Token token, Row row);
  void change(Token token, Row row);
  /// Deletes the row. False if it was never written: then nothing has to be written.
  bool drop(Token token);

  /// Sets the durability that the next start assumes.
  void set_durability(Durability durability);
  /// Makes the next commit cover tokens up to `next` and some beyond, and that lease, unless already covered.
  void reserve(Token next, core::milliseconds lease);
  /// Lowers the longest lease: no lease is longer any more.
  void shorten(core::milliseconds longest);
  /// Whether the meta on the disk covers that token and lease.
  bool covers(Token token, core::milliseconds lease) const;

  /// Writes all outstanding changes and `rows`, in this call; it must be idle. Returns the error, if any.
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
