#include "lock/engines/hold_table.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <tuple>
#include <utility>

namespace zerosuite::lock::engines {
namespace {

using core::milliseconds;

constexpr milliseconds kUsualLease{60'000};
constexpr milliseconds kKeptInMind{1000};

std::size_t length_of(milliseconds lease) {
  return std::bit_width(static_cast<std::uint64_t>(std::max(lease, milliseconds(0)).count()));
}

// Whether both may hold one name together, disregarding the number of permits.
bool together(const LockSpec& one, const LockSpec& other) {
  return one.mode != Mode::kExclusive && one.mode == other.mode &&
         (one.mode != Mode::kPermits || one.limit == other.limit);
}

void sort_by_token(std::vector<const StoredHold*>& kept) {
  std::sort(kept.begin(), kept.end(),
            [](const StoredHold* one, const StoredHold* other) { return one->token < other->token; });
}

}  // namespace

core::milliseconds StoredHold::remaining(core::TimePoint now) const {
  if (unanswered != 0) return spec->lease;
  return std::chrono::ceil<core::milliseconds>(std::max(ends, now) - now);
}

bool HoldTable::PassesEarlier::operator()(const StoredHold* one, const StoredHold* other) const {
  const auto rank = [](const StoredHold& kept) {
    return std::tuple(kept.unanswered != 0, kept.ends, kept.token);
  };
  return rank(*one) < rank(*other);
}

HoldTable::Way HoldTable::way(const LockSpec& spec, core::TimePoint now) const {
  Way way = Way::kFree;
  for (const std::string& name : spec.names) way = std::max(way, way_to(holders(name), spec, now));
  return way;
}

HoldTable::Way HoldTable::way_to(const Holders& holders, const LockSpec& spec, core::TimePoint now) {
  if (holders.by_end.empty()) return Way::kFree;
  const StoredHold& last = **holders.by_end.rbegin();
  if (!last.passed(now) && !together(spec, *last.spec)) return Way::kTaken;
  std::uint64_t permits = holders.permits + spec.permits;
  bool lapsed = false;
  for (const StoredHold* kept : holders.by_end) {
    if (!kept->passed(now)) break;
    permits -= kept->spec->permits;
    lapsed = true;
  }
  if (spec.mode == Mode::kPermits && permits > spec.limit) return Way::kTaken;
  return lapsed ? Way::kLapsed : Way::kFree;
}

const StoredHold* HoldTable::lapsed(const std::vector<std::string>& names, core::TimePoint now) const {
  for (const std::string& name : names) {
    const auto& by_end = holders(name).by_end;
    if (!by_end.empty() && (*by_end.begin())->passed(now)) return *by_end.begin();
  }
  return nullptr;
}

core::TimePoint HoldTable::first_lapse(const std::string& name, core::TimePoint now) const {
  const auto& by_end = holders(name).by_end;
  const auto live =
      std::find_if(by_end.begin(), by_end.end(), [&](const StoredHold* kept) { return !kept->passed(now); });
  if (live == by_end.end()) return now;
  core::TimePoint first = (*live)->unanswered != 0 ? core::TimePoint::max() : (*live)->ends;
  // At most as many as one or two batches brought.
  for (auto kept = by_end.rbegin(); kept != by_end.rend() && (*kept)->unanswered != 0; ++kept)
    first = std::min(first, lease_end(now, (*kept)->spec->lease));
  return first;
}

// The longest lease, which bounds how long grants forgotten in a crash may be held, is stored before a grant,
// at the cost of a commit. To save commits, a released lease of usual length counts until it would have
// ended; a longer one, which would delay all others after a crash, counts only briefly.
void HoldTable::count(const StoredHold& kept) {
  const std::size_t length = length_of(kept.spec->lease);
  Length& mine = lengths_[length];
  if (mine.count++ == 0) mine.longest = milliseconds(0);
  mine.longest = std::max(mine.longest, kept.spec->lease);
  longest_ = std::max(longest_, length);
}

void HoldTable::uncount(const StoredHold& kept, core::TimePoint now) {
  Length& mine = lengths_[length_of(kept.spec->lease)];
  if (--mine.count > 0) return;
  const milliseconds left = kept.remaining(now);
  mine.until = now + (kept.spec->lease > kUsualLease ? std::min(left, kKeptInMind) : left);
}

milliseconds HoldTable::longest_lease(core::TimePoint now) {
  while (longest_ > 0 && lengths_[longest_].count == 0 && lengths_[longest_].until <= now) --longest_;
  const Length& longest = lengths_[longest_];
  return longest.count > 0 || longest.until > now ? longest.longest : milliseconds(0);
}

core::TimePoint HoldTable::shorter_at() const {
  return lengths_[longest_].count > 0 ? core::TimePoint::max() : lengths_[longest_].until;
}

void HoldTable::add(StoredHold added) {
  const Token token = added.token;
  const StoredHold& kept = kept_.emplace(token, std::move(added)).first->second;
  count(kept);
  for (const std::string& name : kept.spec->names) {
    Holders& holders = names_[name];
    holders.by_end.insert(&kept);
    holders.permits += kept.spec->permits;
  }
}

void HoldTable::replace(StoredHold after, core::TimePoint now) {
  StoredHold& kept = kept_.at(after.token);
  if (after.spec->lease != kept.spec->lease) {
    count(after);
    uncount(kept, now);
  }
  // Its position depends on its content, so it is removed before that changes.
  std::vector<Holders*> crowds;
  for (const std::string& name : kept.spec->names) {
    Holders& holders = names_.at(name);
    if (holders.by_end.size() == 1) continue;  // alone, so its position cannot change
    holders.by_end.erase(&kept);
    crowds.push_back(&holders);
  }
  kept = std::move(after);
  for (Holders* const holders : crowds) holders->by_end.insert(&kept);
}

void HoldTable::remove(Token token, core::TimePoint now) {
  const auto kept = kept_.find(token);
  uncount(kept->second, now);
  for (const std::string& name : kept->second.spec->names) {
    const auto found = names_.find(name);
    found->second.by_end.erase(&kept->second);
    found->second.permits -= kept->second.spec->permits;
    if (found->second.by_end.empty()) names_.erase(found);
  }
  kept_.erase(kept);
}

const StoredHold* HoldTable::find(Token token) const {
  const auto found = kept_.find(token);
  return found == kept_.end() ? nullptr : &found->second;
}

std::vector<const StoredHold*> HoldTable::all() const {
  std::vector<const StoredHold*> all;
  all.reserve(kept_.size());
  for (const auto& [token, kept] : kept_) all.push_back(&kept);
  sort_by_token(all);
  return all;
}

const HoldTable::Holders& HoldTable::holders(const std::string& name) const {
  static const Holders nobody;
  const auto found = names_.find(name);
  return found == names_.end() ? nobody : found->second;
}

core::TimePoint lease_end(core::TimePoint now, core::milliseconds lease) {
  const auto room = std::chrono::floor<core::milliseconds>(core::TimePoint::max() - now);
  return lease > room ? core::TimePoint::max() : now + lease;
}

}  // namespace zerosuite::lock::engines
