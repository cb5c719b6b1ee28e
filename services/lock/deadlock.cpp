#include "lock/deadlock.hpp"

#include <algorithm>
#include <iterator>
#include <unordered_map>
#include <unordered_set>

#include "core/json.hpp"

namespace zerosuite::lock {
namespace {

bool share(const Claim& one, const Claim& other) {
  return one.mode == Mode::kShared && other.mode == Mode::kShared;
}

// Whether anybody may wait for its owner, by what he holds or by his places in line.
bool awaited(const Attempt& attempt) {
  const Owner& owner = *attempt.owner;
  return std::any_of(owner.holds.begin(), owner.holds.end(),
                     [](const Hold* hold) {
                       return std::any_of(hold->places.begin(), hold->places.end(),
                                          [](const auto& at) { return !at.first->queue.empty(); });
                     }) ||
         std::any_of(owner.attempts.begin(), owner.attempts.end(), [](const Attempt* other) {
           return std::any_of(other->places.begin(), other->places.end(),
                              [](const auto& at) { return std::next(at.second) != at.first->queue.end(); });
         });
}

// A search in breadth, so that the cycle found is one of the shortest.
class Search {
 public:
  explicit Search(const Attempt& start) : start_(start) {}

  std::vector<Wait> run() {
    expand(start_);
    for (std::size_t i = 0; i < reached_.size() && !closed_; ++i) {
      for (const Attempt* attempt : reached_[i]->attempts) {
        if (!attempt->places.empty()) expand(*attempt);
        if (closed_) break;
      }
    }
    return closed_ ? cycle() : std::vector<Wait>();
  }

 private:
  struct From {
    const Owner* owner;
    const Name* name;
  };

  void expand(const Attempt& attempt) {
    if (attempt.request.claim.mode == Mode::kPermits) return;  // whoever gives permits back will do
    for (const auto& [name, place] : attempt.places) {
      for (const Hold* hold : name->holds) {
        if (hold->owner != attempt.owner && !share(attempt.request.claim, hold->claim))
          reach(*hold->owner, attempt, *name);
      }
      // What stands before a place that was seen already was reached from there.
      std::unordered_set<const Attempt*>& seen = seen_[name];
      for (auto before = place; before != name->queue.begin();) {
        const Attempt* ahead = *--before;
        if (!seen.insert(ahead).second) break;
        if (ahead->owner == attempt.owner) continue;
        share(attempt.request.claim, ahead->request.claim) ? follow(*ahead, attempt, *name)
                                                           : reach(*ahead->owner, attempt, *name);
      }
    }
  }

  // A reader behind a reader waits until that one may read, not until he has done all that he does.
  void follow(const Attempt& ahead, const Attempt& from, const Name& name) {
    if (!followed_.insert(&ahead).second) return;
    from_.try_emplace(ahead.owner, From{from.owner, &name});
    expand(ahead);
  }

  void reach(const Owner& owner, const Attempt& from, const Name& name) {
    if (closed_ || !waited_for_.insert(&owner).second) return;
    from_.insert_or_assign(&owner, From{from.owner, &name});
    reached_.push_back(&owner);
    closed_ = &owner == start_.owner;
  }

  std::vector<Wait> cycle() const {
    std::vector<Wait> steps;
    const Owner* at = start_.owner;
    do {
      const From& from = from_.at(at);
      steps.push_back({std::string(from.owner->text), std::string(from.name->text)});
      at = from.owner;
    } while (at != start_.owner);
    std::reverse(steps.begin(), steps.end());
    return steps;
  }

  const Attempt& start_;
  std::unordered_map<const Owner*, From> from_;
  std::unordered_map<const Name*, std::unordered_set<const Attempt*>> seen_;
  std::unordered_set<const Owner*> waited_for_;
  std::unordered_set<const Attempt*> followed_;
  std::vector<const Owner*> reached_;
  bool closed_ = false;
};

}  // namespace

std::vector<Wait> find_cycle(const Attempt& attempt) {
  if (!awaited(attempt)) return {};  // most who wait
  return Search(attempt).run();
}

core::Error deadlock(const std::vector<Wait>& cycle) {
  std::string words;
  std::vector<core::Json> steps;
  for (const auto& [owner, name] : cycle) {
    words += (words.empty() ? "" : ", ") + owner + " waits for " + quoted(name);
    steps.push_back(core::Json().add("owner", owner).add("name", name));
  }
  return {core::kDeadlock, core::with_json(words, core::Json().add_list("cycle", steps))};
}

}  // namespace zerosuite::lock
