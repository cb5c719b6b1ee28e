// Group commit (DeWitt et al., "Implementation Techniques for Main Memory Database Systems", SIGMOD 1984):
// what is asked while one batch is on its way to the disk goes into the next, and is answered once that is
// there.
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
#include "net/offload.hpp"
#include "net/timers.hpp"

namespace zerosuite::db {

/// Belongs to the loop's thread. To be destroyed when it is idle, or after the offload.
class CommitQueue {
 public:
  /// Batches count from 1.
  using Number = std::uint64_t;
  using Work = core::MoveFunction<void()>;
  using Done = core::MoveFunction<void(const core::Error*)>;  ///< Null: it is on the disk.

  struct Entry {
    Work work = {};  ///< Its part of the batch, on the offload's thread. May be empty.
    Work undo = {};  ///< Before anybody hears that the batch failed, the latest first. May be empty.
    Done done;
  };

  /// Where batches are written to. It may have something to write beside the entries' works; all but write()
  /// is on the loop's thread.
  class Target {
   public:
    virtual ~Target() = default;

    /// Whether it has anything of its own to write.
    virtual bool dirty() const { return false; }
    /// A batch is about to leave, with what is to be written now; or could not leave, and gathers on.
    virtual void load() {}
    virtual void unload() {}
    /// Writes what was loaded, with all of `works` in one transaction; with nothing of either, it writes
    /// something as a sign that writing works. On the disk when it returns; throws when it could not.
    /// The target is the job's alone while it runs.
    virtual void write(std::vector<Work>& works) = 0;
    /// A batch has come back, and `error` tells why it was not written. Before anybody is answered, and after
    /// everybody was.
    virtual void landed(const core::Error* /*error*/) {}
    virtual void settled() {}
  };

  CommitQueue(net::Timers& timers, net::Offload& offload, Target& target);

  /// `changed` hears why nothing can be written any more, also when the reason changes, and nullopt when it
  /// can again.
  void on_change(std::function<void(const std::optional<core::Error>& trouble)> changed) {
    changed_ = std::move(changed);
  }

  /// Leaves with the batch that gathers, at the end of this turn if none is on its way; `done` hears of it in
  /// order of the calls, and never inside this one. While nothing can be written it hears that, with the next
  /// turn.
  void add(Entry entry);
  /// The same for an entry without work that may go with an earlier batch than that which gathers, behind
  /// everything that waits for it already; `number` must be later than answered().
  void follow(Number number, Entry entry);
  /// The target is dirty: a batch leaves with this turn, or after that delay.
  void soon();
  void within(core::milliseconds delay);

  /// The batch that gathers now.
  Number gathering() const { return gathering_; }
  /// The last one that was written.
  Number written() const { return written_; }
  /// The last one whose entries were all answered.
  Number answered() const { return answered_; }
  /// The last one that anybody waits for; 0 when nobody does.
  Number awaited() const;

  /// Why nothing can be written now; nullopt when it can, as far as is known. A full disk is tried again each
  /// second.
  const std::optional<core::Error>& trouble() const { return trouble_; }
  /// The disk failed rather than was full: nobody can tell what is on it, and it is not trusted any more.
  bool failed_for_good() const { return for_good_; }
  /// Whether no batch is on its way.
  bool idle() const { return !flying_; }
  /// Writes all that is outstanding, in this call; it must be idle. Returns why it could not.
  std::optional<core::Error> close();

 private:
  struct Waiting {
    Work undo;
    Done done;
  };
  struct Refused {
    Done done;
    core::Error error;
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
  void refuse();

  net::Offload& offload_;
  Target& target_;
  std::function<void(const std::optional<core::Error>&)> changed_;

  std::vector<Work> works_;
  std::deque<Waiting> waiting_;

  bool flying_ = false;
  std::vector<Work> flight_works_;
  std::deque<Waiting> flight_waiting_;
  std::optional<Failure> failure_;  // as the job left it

  Number gathering_ = 1;
  Number written_ = 0;
  Number answered_ = 0;
  std::optional<core::Error> trouble_;
  bool for_good_ = false;
  std::vector<Refused> refused_;  // asked for while nothing could be written
  bool at_once_ = false;          // the timer is set for the next turn
  net::Timer flush_;
  net::Timer refuse_;
};

}  // namespace zerosuite::db
