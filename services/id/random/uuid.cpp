#include "id/random/uuid.hpp"

#include <algorithm>
#include <array>

namespace zerosuite::id::formats {
namespace {

/// The second half of every version: the variant, and 62 bits.
constexpr std::uint64_t half(std::uint64_t bits) { return std::uint64_t{0b10} << 62 | low_bits(bits, 62); }

constexpr std::uint64_t half(const Uuid1Parts& parts) {
  return half(std::uint64_t{parts.clock_seq} << 48 | low_bits(parts.node, 48));
}

}  // namespace

Number128 uuid1(const Uuid1Parts& parts) {
  const auto ticks = static_cast<std::uint64_t>(parts.ticks);
  return joined(
      low_bits(ticks, 32) << 32 | low_bits(ticks >> 32, 16) << 16 | 0x1000 | low_bits(ticks >> 48, 12),
      half(parts));
}

Number128 uuid6(const Uuid1Parts& parts) {
  const auto ticks = static_cast<std::uint64_t>(parts.ticks);
  return joined(low_bits(ticks >> 12, 48) << 16 | 0x6000 | low_bits(ticks, 12), half(parts));
}

Number128 uuid4(Number128 random) {
  return joined((high_half(random) & ~std::uint64_t{0xf000}) | 0x4000, half(low_half(random)));
}

Number128 uuid7(std::int64_t ticks, std::uint64_t random) {
  const auto time = static_cast<std::uint64_t>(ticks);
  return joined(low_bits(time >> 12, 48) << 16 | 0x7000 | low_bits(time, 12), half(random));
}

std::string uuid_text(Number128 uuid) {
  std::array<char, 32> digits{};
  write(uuid, kHexDigits, digits);
  std::string text(36, '-');
  auto from = digits.begin();
  auto to = text.begin();
  for (const int group : {8, 4, 4, 4, 12}) {
    to = std::copy_n(from, group, to) + (group == 12 ? 0 : 1);
    from += group;
  }
  return text;
}

}  // namespace zerosuite::id::formats
