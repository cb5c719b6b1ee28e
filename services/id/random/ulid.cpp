#include "id/random/ulid.hpp"

namespace zerosuite::id::formats {

Number128 ulid(std::int64_t ms, const Number128& random) {
  return {static_cast<std::uint64_t>(ms) << 16 | (random.high & 0xffff), random.low};
}

std::string ulid_text(const Number128& ulid) {
  std::string text(26, '\0');
  write(ulid, kCrockfordDigits, text);
  return text;
}

}  // namespace zerosuite::id::formats
