// The part of Broker that only looks.
#include <algorithm>
#include <charconv>

#include "lock/broker/broker.hpp"

namespace zerosuite::lock {
namespace {

constexpr std::size_t kShown = 100;            // of the holders and of the waiters of one name
constexpr std::size_t kPageBytes = 256 << 10;  // a page ends there, however few entries it has

// About, packed.
std::size_t weight(const HolderView& holder) {
  return 120 + holder.owner.size() + holder.session.size() + holder.data.size();
}

std::size_t weight(const NameView& name) {
  std::size_t bytes = 100 + name.name.size();
  for (const HolderView& holder : name.holders) bytes += weight(holder);
  for (const WaiterView& waiter : name.waiters) bytes += 40 + waiter.owner.size();
  return bytes;
}

Token token_of(const std::string& cursor) {
  Token token = 0;
  const auto [end, error] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), token);
  if (cursor.empty() || (error == std::errc() && end == cursor.data() + cursor.size())) return token;
  throw core::Failure(core::kInvalidArgument,
                      "cursor must be empty or what the page before answered, not " + quoted(cursor));
}

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
  const Hold* hold = holds_.find(token, name);
  check.valid = hold != nullptr && !holds_.passed(*hold);
  if (!check.valid) {
    const auto newest = std::find_if(known->holds.rbegin(), known->holds.rend(), [this](const Hold* one) {
      return one->token != 0 && !holds_.passed(*one);
    });
    if (newest == known->holds.rend()) return check;
    hold = *newest;
  }
  check.current = hold->token;
  check.owner = hold->claim.owner;
  check.remaining = holds_.remaining(*hold);
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
  std::size_t bytes = 0;
  const auto& names = table_.names();
  for (auto at = names.lower_bound(std::max(prefix, cursor)); at != names.end(); ++at) {
    if (!at->first.starts_with(prefix)) break;
    if (page.names.size() == limit || bytes > kPageBytes) {
      page.cursor = at->first;
      break;
    }
    page.names.push_back(view(at->second));
    bytes += weight(page.names.back());
  }
  return page;
}

HoldsPage Broker::holds_of(const std::string& owner, std::size_t limit, const std::string& cursor) const {
  const Token from = token_of(cursor);
  HoldsPage page;
  const Owner* known = table_.find_owner(owner);
  if (known == nullptr) return page;
  std::size_t bytes = 0;
  for (auto at = known->holds.lower_bound(from); at != known->holds.end() && at->first < kUnnamed; ++at) {
    if (page.holds.size() >= limit || bytes > kPageBytes) {
      page.cursor = std::to_string(at->first);
      break;
    }
    const HolderView holder = view(*at->second);
    for (const std::string& name : at->second->claim.names) page.holds.emplace_back(name, holder);
    bytes += at->second->claim.names.size() * (weight(holder) + kMaxNameBytes);
  }
  return page;
}

const Hold* Broker::held_by(const std::string& name, const std::string& owner) const {
  const Name* known = table_.find_name(name);
  const Owner* holder = known == nullptr ? nullptr : table_.find_owner(owner);
  return holder == nullptr ? nullptr : table_.held(*holder, *known);
}

}  // namespace zerosuite::lock
