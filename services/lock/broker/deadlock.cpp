#include "lock/broker/deadlock.hpp"

#include <algorithm>
#include <iterator>

#include "core/json.hpp"

namespace zerosuite::lock {
namespace {

constexpr std::size_t kShownBytes = 32 << 10;  // of owners and names in one error

bool share(const LockSpec& one, const LockSpec& other) {
  return one.mode == Mode::kShared && other.mode == Mode::kShared;
}

// A breadth-first search, one edge at a time, interleaved with the search for a waiter on what the start's
// owner holds (look_on()): the one that ends first decides.
class Search {
 public:
  Search(Waiter& start, std::uint64_t number)
      : start_(start), number_(number), held_(start.owner->holds.begin()) {
    reach(start, {});
  }

  Cycle run() {
    if (start_.request.spec.mode == Mode::kPermits) return {};  // any holder may give permits back
    while (!closed_) {
      if (!awaited_ && !look_on()) return {};
      if (!step()) return {};
    }
    return cycle();
  }

 private:
  enum class At : std::uint8_t { kAttempt, kHolders, kOwner };

  // A node of the search: a wait, the holders of the name that a wait is for, or one of these owners.
  struct Stop {
    At at = At::kAttempt;
    Waiter* waiter = nullptr;  // of kAttempt
    Owner* owner = nullptr;    // of kOwner
    std::size_t from = 0;      // index of the wait that led here
    Name* name = nullptr;      // the name which that wait is for
    bool held = false;         // of kAttempt: its owner holds `name`; otherwise it is ahead in the queue
  };
  struct Step {
    const Waiter* waiter;
    const Name* name;
    bool held;  // by the owner of the next step; otherwise the next step is ahead in the queue
  };

  // Looks at one more hold of the start's owner. False if none of them is waited for: there is no cycle.
  bool look_on() {
    if (held_ == start_.owner->holds.end()) return false;
    const Hold& hold = *(held_++)->second;
    awaited_ = std::any_of(hold.places.begin(), hold.places.end(),
                           [](const auto& at) { return !at.first->queue.empty(); });
    return true;
  }

  bool step() {
    if (now_ == stops_.size()) return false;
    const Stop stop = stops_[now_];
    const bool more = stop.at == At::kAttempt   ? next_place(stop)
                      : stop.at == At::kHolders ? next_holder(stop)
                                                : next_wait(stop);
    if (more) return true;
    ++now_;
    begun_ = false;
    return true;
  }

  bool next_place(const Stop& stop) {
    Waiter& waiter = *stop.waiter;
    if (!std::exchange(begun_, true)) place_ = 0;
    if (place_ == waiter.places.size() || waiter.request.spec.mode == Mode::kPermits) return false;
    const auto& [name, place] = waiter.places[place_++];
    // Only the direct predecessor: those ahead of it are found from there.
    if (place != name->queue.begin()) reach(**std::prev(place), {.from = now_, .name = name});
    if (!name->holds.empty() && !share(waiter.request.spec, name->holds.front()->spec))
      reach_holders(*name, *waiter.owner);
    return true;
  }

  // At most twice per name: a visit skips only the asker's own holds, and any other asker's visit has them.
  void reach_holders(Name& name, const Owner& asker) {
    Name::Visit& visit = name.visit;
    if (visit.search != number_) visit = {number_, nullptr, 0};
    if (visit.times == 2 || visit.by == &asker) return;
    visit.by = &asker;
    ++visit.times;
    stops_.push_back({.at = At::kHolders, .from = now_, .name = &name});
  }

  bool next_holder(const Stop& stop) {
    if (!std::exchange(begun_, true)) holder_ = stop.name->holds.begin();
    if (holder_ == stop.name->holds.end()) return false;
    Owner& owner = *(*holder_++)->owner;
    if (&owner == stops_[stop.from].waiter->owner) return true;
    closed_ = &owner == start_.owner;
    if (std::exchange(owner.searched, number_) != number_)
      stops_.push_back({.at = At::kOwner, .owner = &owner, .from = stop.from, .name = stop.name});
    return true;
  }

  bool next_wait(const Stop& stop) {
    if (!std::exchange(begun_, true)) wait_ = stop.owner->acquires.begin();
    if (wait_ == stop.owner->acquires.end()) return false;
    Waiter& waiter = **wait_++;
    // Later waits are left out: their own search finds the cycle, so that the newest request is refused.
    if (!waiter.places.empty() && waiter.id <= start_.id)
      reach(waiter, {.from = stop.from, .name = stop.name, .held = true});
    return true;
  }

  void reach(Waiter& waiter, Stop stop) {
    if (std::exchange(waiter.searched, number_) == number_) return;
    stop.waiter = &waiter;
    stops_.push_back(stop);
  }

  // The cycle, traced back from the stop that closed it to the start.
  std::vector<Step> way() const {
    std::vector<Step> steps;
    const Stop* stop = &stops_[now_];
    bool held = true;
    for (;;) {
      const Stop& before = stops_[stop->from];
      steps.push_back({before.waiter, stop->name, held});
      if (&before == &stops_.front()) break;
      held = before.held;
      stop = &before;
    }
    std::reverse(steps.begin(), steps.end());
    return steps;
  }

  Cycle cycle() const {
    const std::vector<Step> all = way();
    std::vector<Step> steps;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (!passed_over(steps, all, i)) steps.push_back(all[i]);
    }
    Cycle cycle;
    cycle.length = steps.size();
    std::size_t bytes = 0;
    for (const Step& step : steps) {
      bytes += step.waiter->owner->text.size() + step.name->text.size();
      if (bytes > kShownBytes) break;
      cycle.steps.push_back({std::string(step.waiter->owner->text), std::string(step.name->text)});
    }
    return cycle;
  }
  // A waiter between two others in a queue need not be shown, unless it is a writer between two readers.
  bool passed_over(const std::vector<Step>& steps, const std::vector<Step>& all, std::size_t i) const {
    if (steps.empty() || steps.back().held || steps.back().name != all[i].name) return false;
    const LockSpec& before = steps.back().waiter->request.spec;
    const LockSpec& after = all[i].held ? all[i].name->holds.front()->spec : all[i + 1].waiter->request.spec;
    return !share(before, after) || all[i].waiter->request.spec.mode == Mode::kShared;
  }

  Waiter& start_;
  const std::uint64_t number_;
  std::vector<Stop> stops_;
  std::size_t now_ = 0;
  bool begun_ = false;  // the current stop
  std::size_t place_ = 0;
  std::list<Hold*>::const_iterator holder_;
  std::list<Waiter*>::const_iterator wait_;
  std::map<Token, Hold*>::const_iterator held_;
  bool awaited_ = false;
  bool closed_ = false;
};

}  // namespace

Cycle find_cycle(Waiter& waiter, std::uint64_t search) {
  if (waiter.owner->holds.empty()) return {};
  return Search(waiter, search).run();
}

core::Error deadlock(const Cycle& cycle) {
  std::string words;
  std::vector<core::Json> steps;
  for (const auto& [owner, name] : cycle.steps) {
    words += (words.empty() ? "" : ", ") + owner + " waits for " + quoted(name);
    steps.push_back(core::Json().add("owner", owner).add("name", name));
  }
  core::Json json;
  json.add_list("cycle", steps);
  if (cycle.length > steps.size()) {
    words += ", and so on";
    json.add("length", cycle.length);
  }
  return {core::kDeadlock, words, json};
}

}  // namespace zerosuite::lock
