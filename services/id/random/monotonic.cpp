#include "id/random/monotonic.hpp"

#include <limits>
#include <string>

#include "core/error.hpp"

namespace zerosuite::id {
namespace {

formats::Number128 random_number(core::Entropy& entropy) { return {entropy.bits(), entropy.bits()}; }

}  // namespace

formats::Number128 MonotonicUlids::next(std::int64_t ms) {
  const std::int64_t last_ms = formats::ulid_ms(last_);
  if (ms <= last_ms && !stale_) {
    last_ = last_.plus(1);
  } else {
    last_ = formats::ulid(std::max(ms, last_ms + 1), random_number(entropy_));
    stale_ = false;
  }
  return last_;
}

void MonotonicUlids::raise(std::int64_t first_ms) {
  if (first_ms <= last_ms() + 1) return renew();
  last_ = formats::ulid(first_ms - 1, {});
  renew();
}

void MonotonicKsuids::raise(std::int64_t first_second) {
  if (first_second > last_second() + 1) {
    const std::int64_t most = std::numeric_limits<std::uint32_t>::max();
    last_ = {seconds_in_32_bits(std::min(first_second - 1 - formats::kKsuidEpoch, most)), {}};
  }
  renew();
}

formats::Ksuid MonotonicKsuids::next(std::int64_t seconds_since_1970) {
  const std::int64_t now = seconds_since_1970 - formats::kKsuidEpoch;
  const std::int64_t next = std::int64_t{last_.seconds} + 1;
  if (now < next && !stale_) {
    last_ = last_.plus(std::max<std::uint64_t>(entropy_.bits(), 1));
  } else {
    last_ = {seconds_in_32_bits(std::max(now, next)), random_number(entropy_)};
    stale_ = false;
  }
  return last_;
}

std::uint32_t seconds_in_32_bits(std::int64_t seconds) {
  if (seconds >= 0 && seconds <= std::numeric_limits<std::uint32_t>::max())
    return static_cast<std::uint32_t>(seconds);
  throw core::Failure(core::kTimeExhausted,
                      std::to_string(seconds) + " s after its epoch is no time that 32 bits can express");
}

}  // namespace zerosuite::id
