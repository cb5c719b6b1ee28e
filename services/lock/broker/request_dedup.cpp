#include "lock/broker/request_dedup.hpp"

#include "core/error.hpp"

namespace zerosuite::lock {
namespace {

// The text with its length prepended, so that different lists have different encodings.
std::string measured(const std::string& text) { return std::to_string(text.size()) + ':' + text; }

std::string key(const LockSpec& spec) { return request_key(spec); }

std::size_t fingerprint(const LockSpec& spec) {
  std::string text;
  for (const std::string& name : spec.names) text += measured(name);
  // Exclusive and shared are not distinguished: a downgraded hold still belongs to the same request.
  if (spec.mode == Mode::kPermits) text += std::to_string(spec.permits) + ' ' + std::to_string(spec.limit);
  return core::KeyedHash()(text);
}

}  // namespace

const RequestDedup::Entry* RequestDedup::find(const Request& request) {
  const LockSpec& spec = request.spec;
  if (spec.request_id.empty()) return nullptr;
  if (const Entry* past = past_.find(key(spec))) {
    if (past->fingerprint == fingerprint(spec)) return past;
    throw core::Failure(core::kRequestConflict, "request_id " + spec.request_id + " of " + spec.owner +
                                                    " was used for another request");
  }
  const std::int64_t* highest = numbers_.find(spec.owner);
  if (request.number && highest != nullptr && *request.number < *highest)
    throw core::Failure(core::kCancelled, "request_id " + spec.request_id + " of " + spec.owner +
                                              " comes after " + std::to_string(*highest));
  return nullptr;
}

void RequestDedup::begun(const Request& request, std::uint64_t waiter, core::TimePoint now) {
  const LockSpec& spec = request.spec;
  if (spec.request_id.empty()) return;
  past_.put(key(spec), {fingerprint(spec), waiter, {}}, now);
  if (request.number) numbers_.put(spec.owner, *request.number, now);
}

void RequestDedup::granted(const LockSpec& spec, const Granted& granted, core::TimePoint now) {
  if (spec.request_id.empty()) return;
  past_.put(key(spec), {fingerprint(spec), 0, granted}, now);
}

void RequestDedup::granted_by_records(const LockSpec& hold, Granted granted, core::TimePoint now) {
  LockSpec spec = hold;
  for (const Record& record : hold.records) {
    if (record.kind != Record::Kind::kAcquire) continue;
    granted.count = record.count;
    spec.request_id = record.request_id;
    this->granted(spec, granted, now);
  }
}

void RequestDedup::repeated(const LockSpec& spec, std::size_t more) {
  if (spec.request_id.empty() || more == 0) return;
  if (Entry* past = past_.find(key(spec))) past->answers += more;
}

bool RequestDedup::reached_nobody(const LockSpec& spec) {
  Entry* past = past_.find(key(spec));
  return past != nullptr && past->waiter == 0 && past->answers > 0 && --past->answers == 0;
}

void RequestDedup::failed(const LockSpec& spec, std::uint64_t waiter) {
  if (spec.request_id.empty()) return;
  const Entry* past = past_.find(key(spec));
  if (past != nullptr && past->waiter == waiter) past_.erase(key(spec));
}

bool RequestDedup::forget(core::TimePoint now) {
  const bool requests = past_.forget(now);
  return numbers_.forget(now) && requests;
}

}  // namespace zerosuite::lock
