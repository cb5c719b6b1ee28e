#include "lock/engines/answer_order.hpp"

#include <algorithm>
#include <utility>

namespace zerosuite::lock::engines {

AnswerOrder::Number AnswerOrder::of(const Names& names) const {
  Number turn = 0;
  if (pending_.empty()) return turn;
  for (const std::string& name : names) {
    const auto found = pending_.find(name);
    if (found != pending_.end()) turn = std::max(turn, found->second.answers);
  }
  return turn > commits_.answered() ? turn : 0;
}

void AnswerOrder::wait(Number number, const Names& names, db::CommitQueue::Entry entry) {
  for (const std::string& name : names) pending_[name].answers = number;
  commits_.follow(number, std::move(entry));
}

bool AnswerOrder::taken(const Names& names) const {
  return std::any_of(names.begin(), names.end(), [this](const std::string& name) {
    const auto found = pending_.find(name);
    return found != pending_.end() && found->second.taken > commits_.written();
  });
}

void AnswerOrder::settle() {
  std::erase_if(pending_, [this](const auto& entry) {
    const Pending& pending = entry.second;
    return pending.answers <= commits_.answered() && pending.taken <= commits_.written();
  });
}

}  // namespace zerosuite::lock::engines
