#include "id/clock/clock.hpp"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <string>

namespace zerosuite::id {
namespace {

std::int64_t read_ns(clockid_t clock) {
  timespec at{};
  ::clock_gettime(clock, &at);
  return std::int64_t{at.tv_sec} * 1'000'000'000 + at.tv_nsec;
}

std::int64_t ns(core::milliseconds duration) { return duration.count() * kNsPerMs; }

core::milliseconds ms_up(std::int64_t ns) { return core::milliseconds((ns + kNsPerMs - 1) / kNsPerMs); }

}  // namespace

ClockReading SystemClocks::read() const { return {read_ns(CLOCK_REALTIME), read_ns(CLOCK_BOOTTIME)}; }

IdTime::IdTime(const Clocks& clocks, const ClockRules& rules)
    : clocks_(clocks), rules_(rules), seen_(clocks.read()), time_ns_(seen_.wall_ns) {}

Now IdTime::look() {
  const ClockReading sight = clocks_.read();
  const std::int64_t elapsed = std::max<std::int64_t>(sight.boot_ns - seen_.boot_ns, 0);
  const std::int64_t step = sight.wall_ns - seen_.wall_ns - elapsed;
  if (std::abs(step) > ns(rules_.discontinuity)) ++discontinuities_;
  seen_ = sight;
  time_ns_ += advance(elapsed);
  const std::int64_t over = time_ns_ - sight.wall_ns - ns(rules_.max_lead);
  const bool too_far = over > ns(rules_.reserve_lead);
  return {time_ns_, sight.boot_ns, discontinuities_, too_far ? ms_up(over) : core::milliseconds(0)};
}

std::int64_t IdTime::advance(std::int64_t elapsed_ns) {
  const std::int64_t behind = seen_.wall_ns - time_ns_;  // the advance that the wall clock asks for
  jumped_ = behind - elapsed_ns > ns(rules_.max_forward);
  if (jumped_) return elapsed_ns;
  if (behind >= elapsed_ns) return behind;
  const std::int64_t lead = elapsed_ns - behind;
  const std::int64_t slower = elapsed_ns - std::min(lead, elapsed_ns / 10);
  const std::int64_t room = ns(rules_.max_lead) + behind;  // if negative, the time stands still
  return std::clamp<std::int64_t>(room, 0, slower);
}

void IdTime::raise(std::int64_t ns) { time_ns_ = std::max(time_ns_, ns); }

void IdTime::distrust(std::int64_t ms) {
  if (seen_.wall_ns - ms * kNsPerMs <= ns(rules_.max_forward)) return;
  time_ns_ = ms * kNsPerMs;
  jumped_ = true;
}

void IdTime::confirm() {
  time_ns_ = std::max(time_ns_, seen_.wall_ns);
  jumped_ = false;
}

core::milliseconds IdTime::lead() const {
  return core::milliseconds(std::max<std::int64_t>(time_ns_ - seen_.wall_ns, 0) / kNsPerMs);
}

std::optional<core::Error> IdTime::jump() const {
  if (!jumped_) return std::nullopt;
  const std::int64_t ahead_ms = (seen_.wall_ns - time_ns_) / kNsPerMs;
  return core::Error{core::kClockJump, "the wall clock is " + std::to_string(ahead_ms) +
                                           " ms ahead of the time since the start; ids do not follow it"};
}

std::uint32_t seconds_in_32_bits(std::int64_t seconds) {
  if (seconds >= 0 && seconds <= std::numeric_limits<std::uint32_t>::max())
    return static_cast<std::uint32_t>(seconds);
  throw core::Failure(core::kTimeExhausted,
                      std::to_string(seconds) + " s after its epoch is no time that 32 bits can express");
}

}  // namespace zerosuite::id
