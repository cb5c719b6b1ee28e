#include "lock/broker/request.hpp"

#include "core/error.hpp"
#include "core/random.hpp"
#include "core/text.hpp"

namespace zerosuite::lock {
namespace {

[[noreturn]] void refuse(const std::string& message) { throw core::Failure(core::kInvalidArgument, message); }

void check_range(const char* what, milliseconds value, milliseconds least, milliseconds most) {
  core::check_range(what, value.count(), least.count(), most.count());
}

void check_size(const char* what, const std::string& text, std::size_t most) {
  if (text.size() > most)
    refuse(std::string(what) + " must have at most " + std::to_string(most) + " bytes, not " +
           std::to_string(text.size()));
}

void check_permits(const LockSpec& spec) {
  if (spec.limit < 1) refuse("limit must be at least 1, not 0");
  if (spec.permits < 1 || spec.permits > spec.limit)
    refuse("permits must be from 1 to the limit of " + std::to_string(spec.limit) + ", not " +
           std::to_string(spec.permits));
}

}  // namespace

void check_name(const std::string& name) {
  if (name.empty()) refuse("a name must not be empty");
  check_size("a name", name, kMaxNameBytes);
}

void check_owner(const std::string& owner) {
  if (owner.empty()) refuse("owner must not be empty");
  check_size("owner", owner, kMaxOwnerBytes);
}

void check_request_id(const std::string& id) { check_size("request_id", id, kMaxOwnerBytes); }

void check_prefix(const std::string& prefix) { check_size("prefix", prefix, kMaxNameBytes); }

void check_reason(const std::string& reason) { check_size("reason", reason, kMaxDataBytes); }

std::string quoted(const std::string& text) {
  if (text.size() <= kMaxNameBytes) return "\"" + text + "\"";
  std::size_t end = kMaxNameBytes;
  while ((static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // does not split a UTF-8 sequence
  return "\"" + text.substr(0, end) + "…\"";
}

void check_lease(milliseconds lease, const Limits& limits) {
  check_range("lease_ms", lease, limits.least_lease, limits.most_lease);
}

void check_wait(milliseconds wait, const Limits& limits) {
  check_range("wait_ms", wait, milliseconds(0), limits.most_lease);
}

void check(const Request& request, const Limits& limits) {
  const LockSpec& spec = request.spec;
  if (spec.names.empty()) refuse("names must not be empty");
  if (spec.names.size() > limits.max_names)
    refuse("names must be at most " + std::to_string(limits.max_names) + ", not " +
           std::to_string(spec.names.size()));
  for (const std::string& name : spec.names) check_name(name);
  check_size("owner", spec.owner, kMaxOwnerBytes);
  const bool marked = spec.request_id.starts_with(kTextMark);
  check_size("request_id", spec.request_id, kMaxOwnerBytes + (marked ? 1 : 0));
  check_size("data", spec.data, kMaxDataBytes);
  check_lease(spec.lease, limits);
  if (limits.most_held > milliseconds(0) && spec.lease > limits.most_held)
    refuse("lease_ms must be at most " + std::to_string(limits.most_held.count()) +
           ", for which a lock may be held");
  check_wait(request.wait, limits);
  check_range("confirm_ms", request.confirm, milliseconds(0), spec.lease);
  check_range("lock_delay_ms", spec.lock_delay, milliseconds(0), kMostLockDelay);
  if (spec.mode == Mode::kPermits) check_permits(spec);
}

std::size_t places_of(const Request& request) {
  constexpr std::size_t kPlace = 1024;
  const LockSpec& spec = request.spec;
  std::size_t bytes = spec.owner.size() + spec.request_id.size() + spec.data.size() + request.session.size() +
                      request.client.size();
  for (const std::string& name : spec.names) bytes += name.size();
  return spec.names.size() + bytes / kPlace;
}

std::string random_name() { return core::random_hex(16); }

core::Error shutting_down() {
  return {core::kShuttingDown, "the broker is stopping and grants nothing any more"};
}

}  // namespace zerosuite::lock
