// What a store keeps, in memory: the rules of the seam (services/id/stores/store.hpp) and nothing else.
// Several MemoryStores may share one, as several processes share a database.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/json.hpp"
#include "id/stores/store.hpp"

namespace zerosuite::test {

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

}  // namespace zerosuite::test
