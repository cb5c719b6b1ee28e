#include "lock/broker/requests.hpp"

#include "core/error.hpp"

namespace zerosuite::lock {
namespace {

// With its length before it, so that no two lists of texts read the same.
std::string measured(const std::string& text) { return std::to_string(text.size()) + ':' + text; }

std::string key(const Claim& claim) { return request_key(claim); }

std::size_t shape(const Claim& claim) {
  std::string text;
  for (const std::string& name : claim.names) text += measured(name);
  // Not whether it is shared: a hold that was downgraded is that of the same request.
  if (claim.mode == Mode::kPermits) text += std::to_string(claim.permits) + ' ' + std::to_string(claim.limit);
  return core::KeyedHash()(text);
}

}  // namespace

const Requests::Past* Requests::find(const Request& request) {
  const Claim& claim = request.claim;
  if (claim.request_id.empty()) return nullptr;
  if (const Past* past = past_.find(key(claim))) {
    if (past->shape == shape(claim)) return past;
    throw core::Failure(core::kRequestConflict, "request_id " + claim.request_id + " of " + claim.owner +
                                                    " was used for another request");
  }
  const std::int64_t* highest = numbers_.find(claim.owner);
  if (request.number && highest != nullptr && *request.number < *highest)
    throw core::Failure(core::kCancelled, "request_id " + claim.request_id + " of " + claim.owner +
                                              " comes after " + std::to_string(*highest));
  return nullptr;
}

void Requests::begun(const Request& request, std::uint64_t attempt, core::TimePoint now) {
  const Claim& claim = request.claim;
  if (claim.request_id.empty()) return;
  past_.put(key(claim), {shape(claim), attempt, {}, false}, now);
  if (request.number) numbers_.put(claim.owner, *request.number, now);
}

void Requests::granted(const Claim& claim, const Granted& granted, core::TimePoint now) {
  if (claim.request_id.empty()) return;
  past_.put(key(claim), {shape(claim), 0, granted, false}, now);
}

void Requests::repeated(const Claim& claim) {
  if (Past* past = claim.request_id.empty() ? nullptr : past_.find(key(claim))) past->repeated = true;
}

bool Requests::heard_once(const Claim& claim) {
  const Past* past = past_.find(key(claim));
  return past != nullptr && past->attempt == 0 && !past->repeated;
}

void Requests::failed(const Claim& claim, std::uint64_t attempt) {
  if (claim.request_id.empty()) return;
  const Past* past = past_.find(key(claim));
  if (past != nullptr && past->attempt == attempt) past_.erase(key(claim));
}

bool Requests::forget(core::TimePoint now) {
  const bool requests = past_.forget(now);
  return numbers_.forget(now) && requests;
}

}  // namespace zerosuite::lock
