#include "id/text/digits.hpp"

#include <algorithm>

namespace zerosuite::id::formats {
namespace {

// How many digits of a base fit into a word together, and their range: one division of the number by that
// range takes them all.
struct Chunk {
  std::uint64_t range = 1;
  std::size_t digits = 0;
};

constexpr Chunk chunk_of(std::uint64_t base) {
  Chunk chunk;
  while (chunk.range * base <= std::uint64_t{1} << 32) {
    chunk.range *= base;
    ++chunk.digits;
  }
  return chunk;
}

/// Leaves the quotient in `words` and answers the remainder.
template <std::uint64_t kRange>
std::uint64_t divide(std::span<std::uint32_t> words) {
  std::uint64_t rest = 0;
  for (std::uint32_t& word : words) {
    const std::uint64_t part = rest << 32 | word;
    word = static_cast<std::uint32_t>(part / kRange);
    rest = part % kRange;
  }
  return rest;
}

// The base is a constant of the compiler's, so that no division is left of it: hex becomes shifts.
template <std::uint32_t kBase>
void write(std::span<std::uint32_t> words, const Digits& digits, std::span<char> out) {
  constexpr Chunk kChunk = chunk_of(kBase);
  while (!out.empty()) {
    std::uint64_t rest = divide<kChunk.range>(words);
    for (std::size_t left = std::min(kChunk.digits, out.size()); left > 0; --left) {
      out.back() = digits.digit(static_cast<std::uint32_t>(rest % kBase));
      rest /= kBase;
      out = out.first(out.size() - 1);
    }
  }
}

/// Answers what is carried out of the number.
std::uint64_t multiply_add(std::span<std::uint32_t> words, std::uint64_t factor, std::uint64_t carry) {
  for (auto word = words.rbegin(); word != words.rend(); ++word) {
    const std::uint64_t product = *word * factor + carry;
    *word = static_cast<std::uint32_t>(product);
    carry = product >> 32;
  }
  return carry;
}

}  // namespace

void write_number(std::span<std::uint32_t> words, const Digits& digits, std::span<char> out) {
  switch (digits.base()) {
    case 16:
      return write<16>(words, digits, out);
    case 32:
      return write<32>(words, digits, out);
    case 36:
      return write<36>(words, digits, out);
    case 58:
      return write<58>(words, digits, out);
    default:
      return write<62>(words, digits, out);
  }
}

bool read_number(std::string_view text, const Digits& digits, std::span<std::uint32_t> words) {
  std::fill(words.begin(), words.end(), 0);
  for (const char c : text) {
    const std::uint32_t value = digits.value(c);
    if (value >= digits.base() || multiply_add(words, digits.base(), value) != 0) return false;
  }
  return true;
}

}  // namespace zerosuite::id::formats
