// The part of Broker that only looks.
#include <algorithm>

#include "lock/broker.hpp"

namespace zerosuite::lock {
namespace {

constexpr std::size_t kShown = 100;  // of the holders and of the waiters of one name

}  // namespace

HolderView Broker::view(const Hold& hold) const {
  const Claim& claim = hold.claim;
  return {.owner = claim.owner,
          .token = hold.token,
          .mode = claim.mode,
          .permits = claim.permits,
          .count = claim.count,
          .remaining = holds_.remaining(hold),
          .held = std::chrono::floor<milliseconds>(timers_.now() - hold.since),
          .session = hold.session,
          .data = claim.data};
}

NameView Broker::view(const Name& name) const {
  NameView view;
  view.name = name.text;
  view.queue_length = name.queue.size();
  if (const Claim* kind = name.kind()) {
    view.semaphore = kind->mode == Mode::kPermits;
    view.limit = kind->limit;
  }
  view.holder_count = name.holds.size();
  for (const Hold* hold : name.holds) {
    if (view.holders.size() == kShown) break;
    if (hold->token != 0) view.holders.push_back(this->view(*hold));
  }
  for (const Attempt* attempt : name.queue) {
    if (view.waiters.size() == kShown) break;
    view.waiters.push_back({attempt->request.claim.owner, attempt->request.claim.mode,
                            std::chrono::floor<milliseconds>(timers_.now() - attempt->since)});
  }
  return view;
}

Check Broker::check(const std::string& name, Token token) const {
  check_name(name);
  Check check;
  const Name* known = table_.find_name(name);
  if (known == nullptr && engine_.recovering() > milliseconds(0))
    throw core::Failure(recovering(engine_.recovering()));
  if (known == nullptr) return check;
  for (const Hold* hold : known->holds) {
    if (check.valid || hold->token == 0) continue;
    check.valid = hold->token == token;
    check.current = hold->token;
    check.owner = hold->claim.owner;
    check.remaining = holds_.remaining(*hold);
  }
  return check;
}

NameView Broker::info(const std::string& name) const {
  check_name(name);
  const Name* known = table_.find_name(name);
  if (known != nullptr) return view(*known);
  NameView free;
  free.name = name;
  return free;
}

Page Broker::list(const std::string& prefix, std::size_t limit, const std::string& cursor) const {
  Page page;
  const auto& names = table_.names();
  for (auto at = names.lower_bound(std::max(prefix, cursor)); at != names.end(); ++at) {
    if (!at->first.starts_with(prefix)) break;
    if (page.names.size() == limit) {
      page.cursor = at->first;
      break;
    }
    page.names.push_back(view(at->second));
  }
  return page;
}

std::vector<std::pair<std::string, HolderView>> Broker::holds_of(const std::string& owner) const {
  std::vector<std::pair<std::string, HolderView>> all;
  const Owner* known = table_.find_owner(owner);
  if (known == nullptr) return all;
  for (const Hold* hold : known->holds) {
    if (hold->token == 0) continue;
    for (const std::string& name : hold->claim.names) all.emplace_back(name, view(*hold));
  }
  return all;
}

const Hold* Broker::held_by(const std::string& name, const std::string& owner) const {
  const Name* known = table_.find_name(name);
  if (known == nullptr) return nullptr;
  const auto found = std::find_if(known->holds.begin(), known->holds.end(), [&](const Hold* hold) {
    return hold->token != 0 && hold->claim.owner == owner;
  });
  return found == known->holds.end() ? nullptr : *found;
}

}  // namespace zerosuite::lock
