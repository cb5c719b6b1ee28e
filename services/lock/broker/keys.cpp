// The part of Holds that says whether a key opens a hold, and why not.
#include <algorithm>

#include "core/json.hpp"
#include "lock/broker/holds.hpp"

namespace zerosuite::lock {
namespace {

using core::Error;
using core::Json;
using core::Result;
using core::with_json;

bool has_name(const Hold& hold, const std::string& name) {
  return std::find(hold.claim.names.begin(), hold.claim.names.end(), name) != hold.claim.names.end();
}

Error ended_error(const Key& key, const Ended& ended) {
  const std::string lock = quoted(key.name);
  switch (ended.how) {
    case Ended::How::kReleased:
      return {core::kNotHeld, lock + " was released with this token before"};
    case Ended::How::kExpired:
      return {core::kLeaseExpired, "the lease of " + lock + " had passed"};
    case Ended::How::kRevoked:
      return {core::kStaleToken, lock + " was taken back by an operator"};
    case Ended::How::kSessionLost:
      return {core::kSessionLost, "the session that held " + lock + " is gone"};
  }
  return {};
}

}  // namespace

Result<Hold*> Holds::find(const Key& key) {
  Hold* hold = find(key.token);
  if (hold == nullptr || !has_name(*hold, key.name)) return missing(key);
  if (hold->claim.owner != key.owner)
    return Error{core::kNotOwner, with_json(quoted(key.name) + " is held by somebody else",
                                            Json().add("holder", hold->claim.owner))};
  const bool semaphore = hold->claim.mode == Mode::kPermits;
  if (key.kind != Key::Kind::kAny && semaphore != (key.kind == Key::Kind::kSemaphore))
    return Error{core::kKindMismatch, quoted(key.name) + " is a " + (semaphore ? "semaphore" : "lock")};
  return hold;
}

const Hold* Holds::find(Token token, const std::string& name) const {
  const auto found = holds_.find(token);
  return found == holds_.end() || !has_name(*found->second, name) ? nullptr : found->second.get();
}

Error Holds::missing(const Key& key) {
  const Ended* ended = ended_.find(key.token);
  if (ended != nullptr && ended->is(key.owner, key.name)) return ended_error(key, *ended);
  if (const auto left = shared_.engine.recovering(); left > milliseconds(0)) return recovering(left);
  const Name* name = shared_.table.find_name(key.name);
  if (name == nullptr || name->holds.empty()) return {core::kNotHeld, "nobody holds " + quoted(key.name)};
  const Owner* owner = shared_.table.find_owner(key.owner);
  const Hold* own = owner == nullptr ? nullptr : shared_.table.held(*owner, *name);
  if (own != nullptr)
    return {core::kStaleToken,
            with_json(quoted(key.name) + " is held with another token than " + std::to_string(key.token),
                      Json().add("token", own->token))};
  return {core::kNotOwner, with_json(quoted(key.name) + " is held by somebody else",
                                     Json().add("holder", name->holds.front()->claim.owner))};
}

}  // namespace zerosuite::lock
