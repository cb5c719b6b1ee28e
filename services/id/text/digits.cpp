#include "id/text/digits.hpp"

#include <algorithm>
#include <cstddef>

namespace zerosuite::id::formats {
namespace {

// The maximum number of digits of a base in a word, and the number of their values: one 128-bit division by
// that range splits off all of them.
struct Chunk {
  std::uint64_t range = 1;
  std::size_t digits = 0;
};

constexpr Chunk chunk_of(std::uint64_t base) {
  Chunk chunk;
  while (chunk.range <= ~std::uint64_t{0} / base) {
    chunk.range *= base;
    ++chunk.digits;
  }
  return chunk;
}

// The base is a compile-time constant, so that dividing by it becomes shifts for hex, and multiplications for
// other bases.
template <std::uint32_t kBase>
void write_in(Number128 number, const Digits& digits, std::span<char> out) {
  constexpr Chunk kChunk = chunk_of(kBase);
  while (!out.empty()) {
    const Number128 quotient = number / kChunk.range;
    std::uint64_t rest = low_half(number - quotient * kChunk.range);
    number = quotient;
    for (std::size_t left = std::min(kChunk.digits, out.size()); left > 0; --left) {
      out.back() = digits.digit(static_cast<std::uint32_t>(rest % kBase));
      rest /= kBase;
      out = out.first(out.size() - 1);
    }
  }
}

}  // namespace

void write(Number128 number, const Digits& digits, std::span<char> out) {
  switch (digits.base()) {
    case 16:
      return write_in<16>(number, digits, out);
    case 32:
      return write_in<32>(number, digits, out);
    case 36:
      return write_in<36>(number, digits, out);
    case 58:
      return write_in<58>(number, digits, out);
    default:
      return write_in<62>(number, digits, out);
  }
}

std::optional<Number128> read(std::string_view text, const Digits& digits) {
  Number128 number = 0;
  for (const char c : text) {
    const std::uint32_t value = digits.value(c);
    if (value >= digits.base() || __builtin_mul_overflow(number, Number128{digits.base()}, &number) ||
        __builtin_add_overflow(number, Number128{value}, &number))
      return std::nullopt;
  }
  return number;
}

std::optional<std::int64_t> id_of(Number128 number) {
  if (number >> 63 != 0) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

}  // namespace zerosuite::id::formats
