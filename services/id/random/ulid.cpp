#include "id/random/ulid.hpp"

#include <algorithm>

namespace zerosuite::id::formats {

Number128 ulid(std::int64_t ms, Number128 random) {
  return Number128{static_cast<std::uint64_t>(ms)} << 80 | random << 48 >> 48;
}

std::string ulid_text(Number128 ulid) {
  std::string text(26, '\0');
  write(ulid, kCrockfordDigits, text);
  return text;
}

}  // namespace zerosuite::id::formats

namespace zerosuite::id {

formats::Number128 MonotonicUlids::next(std::int64_t ms) {
  if (ms <= last_ms() && !stale_) return ++last_;
  const std::uint64_t high = entropy_.bits();
  last_ = formats::ulid(std::max(ms, last_ms() + 1), formats::joined(high, entropy_.bits()));
  stale_ = false;
  return last_;
}

void MonotonicUlids::raise(std::int64_t first_ms) {
  if (first_ms > last_ms() + 1) last_ = formats::ulid(first_ms - 1, 0);
  renew();
}

}  // namespace zerosuite::id
