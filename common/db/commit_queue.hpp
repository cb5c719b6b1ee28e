// Group commit (DeWitt et al., "Implementation Techniques for Main Memory Database Systems", SIGMOD 1984):
// entries added while one batch is being written go into the next, and are completed once that is on the
// disk.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/function.hpp"
#include "net/deferred.hpp"
#include "net/offload.hpp"
#include "net/timers.hpp"

namespace zerosuite::db {

/// Loop thread only. To be destroyed when idle, or after the offload.
class CommitQueue {
 public:
  /// Batches count from 1.
  using Number = std::uint64_t;
  using Work = core::MoveFunction<void()>;
  using Done = core::MoveFunction<void(const core::Error*)>;  ///< Null = it is on the disk.

  struct Entry {
    Work work = {};  ///< Its part of the batch, run on an offload thread. May be empty.
    Work undo = {};  ///< Run when the batch failed, before any `done`, latest entry first. May be empty.
    Done done;
  };

  /// Where batches are written. It may have data of its own to write beside the entries' works. All but
  /// write() is called on the loop's thread.
  class Target {
   public:
    virtual ~Target() = default;

    /// Whether it has data of its own to write.
    virtual bool dirty() const { return false; }
    /// load(): a batch is about to be submitted, and the target sets aside what is to be written with it.
    /// unload(): it could not be submitted, and keeps gathering.
    virtual void load() {}
    virtual void unload() {}
    /// Writes what was loaded and all of `works` in one transaction; with neither, writes something to prove
    /// that writing works. The data is on the disk when it returns; throws on failure. The target is used
    /// only by this job while it runs.
    virtual void write(std::vector<Work>& works) = 0;
    /// landed(): a batch is finished; `error` is the reason when it was not written. Called before the
    /// entries are completed; settled() is called after that.
    virtual void landed(const core::Error* /*error*/) {}
    virtual void settled() {}
  };

  CommitQueue(net::Timers& timers, net::Offload& offload, Target& target);

  /// Calls `changed` with the reason when writing starts to fail and whenever the reason changes, and with
  /// nullopt when writing works again.
  void on_change(std::function<void(const std::optional<core::Error>& trouble)> changed) {
    changed_ = std::move(changed);
  }

  /// Adds an entry to the gathering batch, which is submitted at the end of this turn if none is being
  /// written. `done` is called in order of the calls, never inside this one. While writing fails, it gets the
  /// error at the end of the turn.
  void add(Entry entry);
  /// The same for an entry without work that may be completed with batch `number`, which may be earlier than
  /// the gathering one, after the entries that already wait for it; `number` must be greater than answered().
  void follow(Number number, Entry entry);
  /// The target is dirty: a batch is submitted at the end of this turn, or after `delay`.
  void soon();
  void within(core::milliseconds delay);

  /// The batch that is gathering now.
  Number gathering() const { return gathering_; }
  /// The last batch that was written.
  Number written() const { return written_; }
  /// The last batch whose entries were all completed.
  Number answered() const { return answered_; }
  /// The last batch with an entry waiting for it; 0 when there is none.
  Number awaited() const;

  /// Why nothing can be written now; nullopt when writing works as far as is known. A full disk is retried
  /// every second.
  const std::optional<core::Error>& trouble() const { return trouble_; }
  /// The disk failed for a reason other than being full: its contents are unknown, and it is no longer used.
  bool failed_for_good() const { return for_good_; }
  /// Whether no batch is being written.
  bool idle() const { return !flying_; }
  /// Writes everything outstanding, blocking; the queue must be idle. Returns the error if that failed.
  std::optional<core::Error> close();

 private:
  struct Waiting {
    Work undo;
    Done done;
  };
  struct Failure {
    std::string message;
    bool full = false;
  };

  bool outstanding() const { return !works_.empty() || target_.dirty(); }
  void schedule();
  void flush();
  void load();
  void unload();
  void depart();
  void write() noexcept;
  void land();
  void succeed();
  void fail(const Failure& failure);
  void answer(const core::Error* error);

  net::Offload& offload_;
  Target& target_;
  std::function<void(const std::optional<core::Error>&)> changed_;

  std::vector<Work> works_;
  std::deque<Waiting> waiting_;

  bool flying_ = false;
  std::vector<Work> flight_works_;
  std::deque<Waiting> flight_waiting_;
  std::optional<Failure> failure_;  // set by the job

  Number gathering_ = 1;
  Number written_ = 0;
  Number answered_ = 0;
  std::optional<core::Error> trouble_;
  bool for_good_ = false;
  bool at_once_ = false;  // the timer is set for the next turn
  net::Timer flush_;
  net::Deferred refusals_;  // of entries added while nothing could be written
};

}  // namespace zerosuite::db
