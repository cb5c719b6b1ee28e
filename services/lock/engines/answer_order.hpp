// The order of answers: those of one name leave in the order of the calls, though some of them wait for the
// disk. Belongs to the loop's thread.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "core/function.hpp"
#include "core/keyed_hash.hpp"
#include "db/commit_queue.hpp"

namespace zerosuite::lock::engines {

class AnswerOrder {
 public:
  using Names = std::vector<std::string>;
  using Number = db::CommitQueue::Number;

  explicit AnswerOrder(db::CommitQueue& commits) : commits_(commits) {}

  /// The batch whose answers come before the next one of these names; 0 when none is outstanding.
  Number of(const Names& names) const;
  /// Puts an answer of these names behind those of that batch.
  void wait(Number number, const Names& names, db::CommitQueue::Entry entry);
  /// The same for an answer that does not need the batch itself; at once when `turn` is 0.
  void in_turn(Number turn, const Names& names, core::MoveFunction<void()> answer);

  /// A hold on the name was taken, which the batch that gathers now will write.
  void note_taken(const std::string& name) { pending_[name].taken = commits_.gathering(); }
  /// Whether that is still to be written for one of the names.
  bool taken(const Names& names) const;

  /// Forgets what the last batch has settled.
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
