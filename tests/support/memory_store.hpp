// A store in memory: the rules of the seam (services/id/stores/store.hpp), and a test that says what becomes
// of each call.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/json.hpp"
#include "id/stores/store.hpp"
#include "support/fakes.hpp"

namespace zerosuite::test {

/// What a store keeps. Several MemoryStores may share one, as several processes share a database.
class MemoryShelf {
 public:
  /// Leases are counted by `now`.
  explicit MemoryShelf(std::function<core::TimePoint()> now) : now_(std::move(now)) {}

  core::Result<id::Reserved> reserve(const id::ReserveRequest& ask) {
    ++revision_;
    if (ask.key.kind == id::Key::Kind::kTag) return reserve_tag(ask);
    std::int64_t& next = next_[ask.key.text()];
    const std::int64_t stored = next;
    const auto range = cut(std::max<std::int64_t>(stored, ask.floor), ask.end, ask);
    if (range) next = range->hi;
    if (!range) return range.error();
    return id::Reserved{*range, stored, {}};
  }

  bool give_back(const id::Key& key, const id::Range& unused) {
    std::int64_t* next = known(key);
    if (next == nullptr || *next != unused.hi) return false;
    *next = unused.lo;
    return true;
  }

  core::Result<id::Tag> create_tag(const id::Tag& tag) {
    if (tags_.count(tag.name) != 0) return core::Error{core::kTagExists, "'" + tag.name + "' is there"};
    id::Tag made = tag;
    const auto grave = graves_.find(tag.name);
    if (grave != graves_.end()) made.next = std::max(made.next, grave->second);
    bounds_[tag.name] = {made.next, std::max<std::int64_t>(graves_[tag.name], 0)};
    return tags_[tag.name] = made;
  }

  core::Result<id::Tag> update_tag(const std::string& name, const id::TagChange& change) {
    const auto found = tags_.find(name);
    if (found == tags_.end()) return no_such_tag(name);
    id::Tag& tag = found->second;
    if (change.lower && change.floor.value_or(tag.next) < tag.next) {
      if (const auto refused = lower(tag, *change.floor)) return *refused;
    } else {
      raise(tag, change.floor.value_or(0));
    }
    changes_[name] = ++revision_;
    tag.step = change.step.value_or(tag.step);
    tag.delta = change.delta.value_or(tag.delta);
    tag.remainder = change.remainder.value_or(tag.remainder);
    tag.max = change.max.value_or(tag.max);
    tag.description = change.description.value_or(tag.description);
    return tag;
  }

  core::Result<id::Tag> delete_tag(const std::string& name) {
    const auto found = tags_.find(name);
    if (found == tags_.end()) return no_such_tag(name);
    id::Tag was = found->second;
    graves_[name] = was.next;
    tags_.erase(found);
    changes_[name] = ++revision_;
    return was;
  }

  core::Result<id::Tag> tag(const std::string& name) const {
    const auto found = tags_.find(name);
    if (found == tags_.end()) return no_such_tag(name);
    return found->second;
  }

  std::vector<id::Tag> tags(const id::TagPage& page) const {
    std::vector<id::Tag> all;
    for (const auto& [name, tag] : tags_) {
      const bool wanted = name > page.after && name.starts_with(page.prefix);
      if (wanted && static_cast<std::int64_t>(all.size()) < page.limit) all.push_back(tag);
    }
    return all;
  }

  /// As a shared store does it; a new one is there at once.
  core::Result<std::string> open(const id::OpenRequest& bond) {
    const bool known = !bond.known.empty();
    if (!id_.empty()) {
      if (known && bond.known != id_ && !bond.accept) return forgotten();
      return id_;
    }
    if (known && lost_.empty()) lost_ = bond.known;
    if (!lost_.empty() && !bond.accept) return forgotten();
    id_ = known ? bond.known : lost_.empty() ? bond.fresh : lost_;
    if (bond.accept) revision_ += 1'000'000'000;
    lost_.clear();
    return id_;
  }
  void distrust(const std::string& id) {
    if (id_ == id) id_.clear();
    if (id_.empty() && lost_.empty()) lost_ = id;
  }
  void remember(const std::vector<std::pair<std::string, std::int64_t>>& floors) {
    for (const auto& [key, floor] : floors) {
      std::int64_t& next = key.starts_with("tag:") ? graves_[key.substr(4)] : next_[key];
      next = std::max(next, floor);
    }
  }
  core::Result<id::Changes> look(const id::ChangesQuery& look) {
    if (revision_ < look.followed) {
      if (!id_.empty()) distrust(std::string(id_));
      return forgotten();
    }
    if (look.worker) followed_[*look.worker] = look.followed;
    id::Changes news{.revision = revision_, .tags = {}, .followed = revision_};
    for (const auto& [name, revision] : changes_)
      if (revision > look.followed) news.tags.push_back(name);
    for (const auto& [worker, kept] : leases_)
      if (runs(kept)) news.followed = std::min(news.followed, followed_[worker]);
    return news;
  }
  /// Whether it is the one that who asks has opened.
  bool is(const std::string& id) const { return id.empty() || id == id_; }
  static core::Error forgotten() { return {core::kStoreRegressed, "the store has forgotten"}; }

  core::Result<id::Lease> claim(const id::Claim& claim) {
    if (claim.worker) return claim_one(claim, *claim.worker);
    std::optional<std::int64_t> free;
    for (std::int64_t worker = claim.workers - 1; worker >= 0; --worker) {
      const auto kept = leases_.find(worker);
      if (kept != leases_.end() && runs(kept->second) && kept->second.owner == claim.owner)
        return claim_one(claim, worker);
      if (kept == leases_.end() || !runs(kept->second)) free = worker;
    }
    if (free) return claim_one(claim, *free);
    return core::Error{core::kWorkerIdExhausted, "all of " + std::to_string(claim.workers) + " are in use"};
  }

  core::Result<id::Lease> renew(const id::Claim& claim, const id::Lease& lease) {
    Kept* kept = held(claim, lease);
    if (kept == nullptr || !runs(*kept))
      return core::Error{core::kLeaseLost, "it is another's, or has passed"};
    kept->until = now_() + claim.ttl;
    return id::Lease{lease.worker, lease.epoch, false, store_ms()};
  }

  bool release(const id::Claim& claim, const id::Lease& lease) {
    Kept* kept = held(claim, lease);
    if (kept == nullptr) return false;
    kept->owner.clear();
    return true;
  }

  std::string pin(const std::string& name, const std::string& value, id::Store::Pin how) {
    std::string& kept = pins_[name];
    if (kept.empty() || how == id::Store::Pin::kReplace) kept = value;
    return kept;
  }

  /// The key's next value; 0 when nothing is known of it.
  std::int64_t next(const id::Key& key) {
    const std::int64_t* next = known(key);
    return next == nullptr ? 0 : *next;
  }
  /// Goes back in time, or forth: as an old copy that was restored.
  void set_next(const id::Key& key, std::int64_t value) {
    if (key.kind == id::Key::Kind::kTag) {
      tags_.at(key.name).next = value;
    } else {
      next_[key.text()] = value;
    }
  }
  /// All is gone, as after FLUSHALL.
  void forget() {
    next_.clear();
    tags_.clear();
    graves_.clear();
    leases_.clear();
    pins_.clear();
    bounds_.clear();
    changes_.clear();
    followed_.clear();
    id_.clear();
    lost_.clear();
    revision_ = 0;
  }

  /// The time that the store itself would tell.
  std::function<std::optional<std::int64_t>()> store_ms = [] { return std::optional<std::int64_t>(); };

 private:
  struct Kept {
    std::string owner;  // empty once it was given back
    std::int64_t epoch = 0;
    core::TimePoint until{};
  };

  // What a tag's next value was set to by hand, and what had been given out before.
  struct Bounds {
    std::int64_t base = 0;
    std::int64_t given = 0;
  };

  void raise(id::Tag& tag, std::int64_t floor) {
    Bounds& bounds = bounds_[tag.name];
    if (floor <= bounds.base) return;
    if (tag.next > bounds.base) bounds.given = tag.next;
    bounds.base = floor;
    tag.next = std::max(tag.next, floor);
  }
  std::optional<core::Error> lower(id::Tag& tag, std::int64_t floor) {
    Bounds& bounds = bounds_[tag.name];
    const std::int64_t to = std::max(floor, bounds.given);
    if (to >= bounds.base) return core::Error{core::kInvalidArgument, "it cannot be lowered so far"};
    if (tag.next > bounds.base) tag.max = std::min(tag.max, bounds.base - 1);
    bounds = {to, to};
    tag.next = to;
    ++tag.lowered;
    return std::nullopt;
  }

  static core::Error no_such_tag(const std::string& name) {
    return {core::kNoSuchTag, "there is no tag '" + name + "'"};
  }

  static core::Result<id::Range> cut(std::int64_t lo, std::int64_t end, const id::ReserveRequest& ask) {
    lo = std::max(lo, ask.floor);
    if (lo >= end) {
      return core::Error{core::kRangeExhausted, "'" + ask.key.name + "' has come to its last value",
                         core::Json().add("max", end - 1)};
    }
    return id::Range{lo, lo + std::min(ask.count, end - lo)};
  }

  core::Result<id::Reserved> reserve_tag(const id::ReserveRequest& ask) {
    const auto found = tags_.find(ask.key.name);
    if (found == tags_.end()) return no_such_tag(ask.key.name);
    id::Tag& tag = found->second;
    const std::int64_t stored = tag.next;
    const auto range = cut(stored, std::min(ask.end, tag.max + 1), ask);
    if (!range) return range.error();
    tag.next = range->hi;
    return id::Reserved{*range, stored, tag};
  }

  std::int64_t* known(const id::Key& key) {
    if (key.kind == id::Key::Kind::kTag) {
      const auto tag = tags_.find(key.name);
      return tag == tags_.end() ? nullptr : &tag->second.next;
    }
    const auto next = next_.find(key.text());
    return next == next_.end() ? nullptr : &next->second;
  }

  core::Result<id::Lease> claim_one(const id::Claim& claim, std::int64_t worker) {
    Kept& kept = leases_[worker];
    const bool mine = kept.owner == claim.owner;
    if (!mine && runs(kept)) {
      const auto left = std::chrono::ceil<core::milliseconds>(kept.until - now_()).count();
      return core::Error{core::kWorkerIdInUse, "worker id " + std::to_string(worker) + " is another's",
                         core::Json().add("owner", kept.owner).add("retry_after_ms", left)};
    }
    const bool taken_over = !mine && !kept.owner.empty();
    kept = {claim.owner, mine ? kept.epoch : kept.epoch + 1, now_() + claim.ttl};
    return id::Lease{worker, kept.epoch, taken_over, store_ms()};
  }

  bool runs(const Kept& kept) const { return !kept.owner.empty() && kept.until > now_(); }

  Kept* held(const id::Claim& claim, const id::Lease& lease) {
    const auto kept = leases_.find(lease.worker);
    if (kept == leases_.end() || kept->second.owner != claim.owner || kept->second.epoch != lease.epoch)
      return nullptr;
    return &kept->second;
  }

  std::function<core::TimePoint()> now_;
  std::map<std::string, std::int64_t> next_;
  std::map<std::string, id::Tag> tags_;
  std::map<std::string, std::int64_t> graves_;  // what deleted tags had given out
  std::map<std::int64_t, Kept> leases_;
  std::map<std::string, std::string> pins_;
  std::map<std::string, Bounds> bounds_;
  std::map<std::string, std::int64_t> changes_;
  std::map<std::int64_t, std::int64_t> followed_;
  std::string id_;
  std::string lost_;
  std::int64_t revision_ = 0;
};

/// What becomes of a call.
enum class Fate {
  kDone,
  kRefused,  ///< MemoryStore::refusal: nothing was done.
  kBroken,   ///< StorageError: nothing was done.
  kLost,     ///< Done, and the answer is Indeterminate.
  kDropped,  ///< Not done, and the answer is Indeterminate.
};

/// It answers late, refuses, or does it and loses the answer.
class MemoryStore final : public id::Store {
 public:
  /// One process's way to a shelf that others may share. When it goes, what it did not answer yet stays so.
  MemoryStore(std::shared_ptr<MemoryShelf> its_shelf, std::function<core::TimePoint()> now)
      : shelf(std::move(its_shelf)), now_(std::move(now)) {}
  explicit MemoryStore(const net::Timers& timers)
      : MemoryStore(std::make_shared<MemoryShelf>([&timers] { return timers.now(); }),
                    [&timers] { return timers.now(); }) {}

  void reserve(const id::ReserveRequest& ask, core::Done<id::Reserved> done) override {
    ++reserves;
    asks.push_back(ask);
    take("reserve", std::move(done), [this, ask]() -> core::Result<id::Reserved> {
      if (!ask.continued && !shelf->is(*id_)) return MemoryShelf::forgotten();
      return shelf->reserve(ask);
    });
  }
  void give_back(const id::Key& key, const id::Range& unused, core::Done<bool> done) override {
    take("give_back", std::move(done),
         [this, key, unused] { return core::Result<bool>(shelf->give_back(key, unused)); });
  }
  void create_tag(const id::Tag& tag, core::Done<id::Tag> done) override {
    take("create_tag", std::move(done), guarded<id::Tag>([this, tag] { return shelf->create_tag(tag); }));
  }
  void update_tag(const std::string& name, const id::TagChange& change, core::Done<id::Tag> done) override {
    take("update_tag", std::move(done),
         guarded<id::Tag>([this, name, change] { return shelf->update_tag(name, change); }));
  }
  void delete_tag(const std::string& name, core::Done<id::Tag> done) override {
    take("delete_tag", std::move(done), guarded<id::Tag>([this, name] { return shelf->delete_tag(name); }));
  }
  void tag(const std::string& name, core::Done<id::Tag> done) override {
    take("tag", std::move(done), guarded<id::Tag>([this, name] { return shelf->tag(name); }));
  }
  void tags(const id::TagPage& page, core::Done<std::vector<id::Tag>> done) override {
    take("tags", std::move(done), guarded<std::vector<id::Tag>>([this, page] {
           return core::Result<std::vector<id::Tag>>(shelf->tags(page));
         }));
  }
  void open(const id::OpenRequest& bond, core::Done<std::string> done) override {
    if (!promises.shared)
      return take("open", std::move(done), [] { return core::Result<std::string>(std::string()); });
    if (!bond.known.empty()) *id_ = bond.known;
    take("open", std::move(done), [this, bond, id = id_] {
      auto opened = shelf->open(bond);
      if (opened) *id = *opened;
      return opened;
    });
  }
  void distrust(core::Done<bool> done) override {
    take("distrust", std::move(done), [this] {
      shelf->distrust(*id_);
      return core::Result<bool>(true);
    });
  }
  void remember(const std::vector<std::pair<std::string, std::int64_t>>& floors,
                core::Done<bool> done) override {
    take("remember", std::move(done), [this, floors] {
      shelf->remember(floors);
      return core::Result<bool>(true);
    });
  }
  void look(const id::ChangesQuery& look, core::Done<id::Changes> done) override {
    take("look", std::move(done), guarded<id::Changes>([this, look] { return shelf->look(look); }));
  }
  void claim(const id::Claim& claim, core::Done<id::Lease> done) override {
    take("claim", std::move(done), [this, claim] { return shelf->claim(claim); });
  }
  void renew(const id::Claim& claim, const id::Lease& lease, core::Done<id::Lease> done) override {
    take("renew", std::move(done), [this, claim, lease] { return shelf->renew(claim, lease); });
  }
  void release(const id::Claim& claim, const id::Lease& lease, core::Done<bool> done) override {
    take("release", std::move(done),
         [this, claim, lease] { return core::Result<bool>(shelf->release(claim, lease)); });
  }
  void pin(const std::string& name, const std::string& value, Pin how,
           core::Done<std::string> done) override {
    take("pin", std::move(done),
         [this, name, value, how] { return core::Result<std::string>(shelf->pin(name, value, how)); });
  }
  id::StoreTraits traits() const override { return promises; }
  std::optional<core::Error> trouble() const override { return why; }

  /// Answers the oldest of what is due. Whether there was one.
  bool settle_one() {
    if (waiting_.empty() || waiting_.front().due > now_()) return false;
    auto answer = std::move(waiting_.front().answer);
    waiting_.pop_front();
    answer();
    return true;
  }
  /// Answers all that is due, also what comes of the answers.
  void settle() {
    while (settle_one()) continue;
  }
  std::size_t waiting() const { return waiting_.size(); }

  std::shared_ptr<MemoryShelf> shelf;
  id::StoreTraits promises{"memory", false};
  core::Error refusal{core::kUnavailable, "the store does not answer"};
  std::optional<core::Error> why;  ///< trouble()
  /// Of the next call of that name ("reserve", "give_back", …).
  std::function<Fate(std::string_view)> fate = [](std::string_view) { return Fate::kDone; };
  core::milliseconds delay{0};  ///< Answers are not due before that.
  bool works_late = false;      ///< Does what it is asked only when it answers, not when it is asked.
  std::size_t reserves = 0;
  std::vector<id::ReserveRequest> asks;

 private:
  struct Waiting {
    core::TimePoint due;
    core::MoveFunction<void()> answer;
  };

  // Refused when the shelf is not the one that was opened any more.
  template <class T, class Work>
  std::function<core::Result<T>()> guarded(Work work) {
    return [this, work]() -> core::Result<T> {
      if (!shelf->is(*id_)) return MemoryShelf::forgotten();
      return work();
    };
  }

  template <class T, class Work>
  core::Result<T> outcome(Fate its, Work& work) {
    if (its == Fate::kRefused) return refusal;
    if (its == Fate::kBroken) return core::Error{core::kStorageError, "the disk is full"};
    if (its == Fate::kDropped) return core::Error{core::kIndeterminate, "no answer came"};
    auto result = work();
    if (its == Fate::kLost) return core::Error{core::kIndeterminate, "no answer came"};
    return result;
  }

  template <class T, class Work>
  void take(std::string_view name, core::Done<T> done, Work work) {
    const Fate its = fate(name);
    const core::TimePoint due = now_() + delay;
    if (works_late) {
      waiting_.push_back(
          {due, [this, its, work, done = std::move(done)]() mutable { done(outcome<T>(its, work)); }});
    } else {
      waiting_.push_back(
          {due, [result = outcome<T>(its, work), done = std::move(done)]() mutable { done(result); }});
    }
  }

  std::function<core::TimePoint()> now_;
  const std::shared_ptr<std::string> id_ = std::make_shared<std::string>();  // as open() found it
  std::deque<Waiting> waiting_;
};

/// A store and its clock. What the suite over the seam needs of a rig is `store()`, `settle()` until all that
/// was asked is answered, and `pass(duration)`.
class MemoryStoreRig {
 public:
  MemoryStore& store() { return memory; }
  void settle() { memory.settle(); }
  void pass(core::milliseconds duration) {
    const auto end = timers.now() + duration;
    while (timers.now() < end) {
      timers.advance_to(std::min(timers.now() + core::milliseconds(1), end));
      settle();
    }
  }

  /// All calls of the store come to that from now on.
  void fail(Fate fate) {
    memory.fate = [fate](std::string_view) { return fate; };
  }

  net::Timers timers{kStart};
  MemoryStore memory{timers};
};

}  // namespace zerosuite::test
