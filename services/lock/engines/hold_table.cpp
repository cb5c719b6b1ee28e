#include "lock/engines/hold_table.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace zerosuite::lock::engines {
namespace {

// Whether both may hold one name, leaving aside how many permits there are.
bool together(const Claim& one, const Claim& other) {
  return one.mode != Mode::kExclusive && one.mode == other.mode &&
         (one.mode != Mode::kPermits || one.limit == other.limit);
}

HoldTable::Way way_to(const std::vector<Hold*>& holders, const Claim& claim, core::TimePoint now) {
  bool lapsed = false;
  std::uint64_t permits = claim.permits;
  for (const Hold* hold : holders) {
    if (hold->passed(now)) {
      lapsed = true;
    } else if (!together(claim, *hold->claim)) {
      return HoldTable::Way::kTaken;
    } else {
      permits += hold->claim->permits;
    }
  }
  if (claim.mode == Mode::kPermits && permits > claim.limit) return HoldTable::Way::kTaken;
  return lapsed ? HoldTable::Way::kLapsed : HoldTable::Way::kFree;
}

}  // namespace

core::milliseconds Hold::remaining(core::TimePoint now) const {
  if (unanswered != 0) return claim->lease;
  return std::chrono::ceil<core::milliseconds>(std::max(ends, now) - now);
}

HoldTable::Way HoldTable::way(const Claim& claim, core::TimePoint now) const {
  Way way = Way::kFree;
  for (const std::string& name : claim.names) way = std::max(way, way_to(of(name), claim, now));
  return way;
}

std::vector<Hold*> HoldTable::lapsed(const std::vector<std::string>& names, core::TimePoint now) {
  std::vector<Hold*> found;
  for (const std::string& name : names) {
    for (Hold* hold : of(name)) {
      if (hold->passed(now) && std::find(found.begin(), found.end(), hold) == found.end())
        found.push_back(hold);
    }
  }
  return found;
}

Hold& HoldTable::add(Token token, Row claim) {
  Hold& hold = holds_[token];
  hold.token = token;
  hold.claim = std::move(claim);
  for (const std::string& name : hold.claim->names) names_[name].push_back(&hold);
  return hold;
}

void HoldTable::remove(Hold& hold) {
  for (const std::string& name : hold.claim->names) {
    const auto found = names_.find(name);
    std::erase(found->second, &hold);
    if (found->second.empty()) names_.erase(found);
  }
  holds_.erase(hold.token);
}

Hold* HoldTable::find(Token token) {
  const auto found = holds_.find(token);
  return found == holds_.end() ? nullptr : &found->second;
}

const std::vector<Hold*>& HoldTable::of(const std::string& name) const {
  static const std::vector<Hold*> kNobody;
  const auto found = names_.find(name);
  return found == names_.end() ? kNobody : found->second;
}

std::vector<const Hold*> HoldTable::all() const {
  std::vector<const Hold*> all;
  all.reserve(holds_.size());
  for (const auto& [token, hold] : holds_) all.push_back(&hold);
  std::sort(all.begin(), all.end(),
            [](const Hold* one, const Hold* other) { return one->token < other->token; });
  return all;
}

core::TimePoint lease_end(core::TimePoint now, core::milliseconds lease) {
  const auto room = std::chrono::floor<core::milliseconds>(core::TimePoint::max() - now);
  return lease > room ? core::TimePoint::max() : now + lease;
}

}  // namespace zerosuite::lock::engines
