#include "id/random/ksuid.hpp"

#include <algorithm>
#include <limits>
#include <span>

#include "id/clock/clock.hpp"

namespace zerosuite::id::formats {

Ksuid Ksuid::plus(std::uint64_t step) const {
  const Number128 sum = random + step;
  return {sum < random ? seconds + 1 : seconds, sum};
}

// A 160-bit number: after its last ten digits are split off, the rest fits into 128 bits.
std::string ksuid_text(const Ksuid& ksuid) {
  constexpr std::uint64_t kRange = 839'299'365'868'340'224;  // 62^10
  const Number128 high = Number128{ksuid.seconds} << 64 | high_half(ksuid.random);
  const Number128 low = high % kRange << 64 | low_half(ksuid.random);
  std::string text(27, '\0');
  write((high / kRange << 64) + low / kRange, kBase62Digits, std::span(text).first(17));
  write(low % kRange, kBase62Digits, std::span(text).last(10));
  return text;
}

}  // namespace zerosuite::id::formats

namespace zerosuite::id {

formats::Ksuid MonotonicKsuids::next(std::int64_t seconds_since_1970) {
  const std::int64_t now = seconds_since_1970 - formats::kKsuidEpoch;
  const std::int64_t next = std::int64_t{last_.seconds} + 1;
  if (now < next && !stale_) {
    last_ = last_.plus(std::max<std::uint64_t>(entropy_.bits(), 1));
  } else {
    const std::uint32_t seconds = seconds_in_32_bits(std::max(now, next));
    const std::uint64_t high = entropy_.bits();
    last_ = {seconds, formats::joined(high, entropy_.bits())};
    stale_ = false;
  }
  return last_;
}

void MonotonicKsuids::raise(std::int64_t first_second) {
  if (first_second > last_second() + 1) {
    const std::int64_t most = std::numeric_limits<std::uint32_t>::max();
    last_ = {seconds_in_32_bits(std::min(first_second - 1 - formats::kKsuidEpoch, most)), 0};
  }
  renew();
}

}  // namespace zerosuite::id
