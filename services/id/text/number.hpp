// A number of 128 bits, to digits and from them. A plain value.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "id/text/digits.hpp"

namespace zerosuite::id::formats {

/// The `bits` lowest bits of the value; fewer than 64.
constexpr std::uint64_t low_bits(std::uint64_t value, int bits) {
  return value & ((std::uint64_t{1} << bits) - 1);
}

struct Number128 {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  /// Modulo 2^128.
  Number128 plus(std::uint64_t step) const { return {high + (low + step < low ? 1 : 0), low + step}; }
  // NOLINTNEXTLINE(modernize-use-nullptr): takes the 0 of a defaulted comparison for a pointer
  friend auto operator<=>(const Number128&, const Number128&) = default;
};

/// Writes the number, which `out` must have digits enough for, with leading zeros.
void write(const Number128& number, const Digits& digits, std::span<char> out);

/// nullopt when some character is no digit, or when the number has more than 128 bits.
std::optional<Number128> read(std::string_view text, const Digits& digits);

/// nullopt when it has more than 63 bits.
std::optional<std::int64_t> id_of(const Number128& number);

}  // namespace zerosuite::id::formats
