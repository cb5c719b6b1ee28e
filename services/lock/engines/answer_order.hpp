// The order of completions: those for one name run in the order of the calls, though some of them wait for
// the disk. Loop thread only.
#pragma once

#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/keyed_hash.hpp"
#include "core/result.hpp"
#include "db/commit_queue.hpp"

namespace zerosuite::lock::engines {

class AnswerOrder {
 public:
  using Names = std::vector<std::string>;
  using Number = db::CommitQueue::Number;

  explicit AnswerOrder(db::CommitQueue& commits) : commits_(commits) {}

  /// The batch whose completions precede the next one for these names; 0 if none is outstanding.
  Number of(const Names& names) const;
  /// Queues a completion for these names behind those of that batch.
  void wait(Number number, const Names& names, db::CommitQueue::Entry entry);
  /// The same for a completion that does not depend on the batch's outcome.
  template <class T>
  void wait(Number number, const Names& names, core::Result<T> outcome, core::Done<T>& done) {
    wait(number, names,
         {.done = [outcome = std::move(outcome), done = std::move(done)](const core::Error*) mutable {
           done(std::move(outcome));
         }});
  }

  /// A hold on the name was taken away from its owner; the batch being gathered will write that.
  void note_taken(const std::string& name) { pending_[name].taken = commits_.gathering(); }
  /// Whether that is not written yet for any of the names.
  bool taken(const Names& names) const;

  /// Removes the entries that the last batch has settled.
  void settle();

 private:
  struct Pending {
    Number answers = 0;
    Number taken = 0;
  };

  db::CommitQueue& commits_;
  std::unordered_map<std::string, Pending, core::KeyedHash> pending_;
};

}  // namespace zerosuite::lock::engines
