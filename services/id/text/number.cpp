#include "id/text/number.hpp"

namespace zerosuite::id::formats {
namespace {

using Words = std::array<std::uint32_t, 4>;

}  // namespace

void write(const Number128& number, const Digits& digits, std::span<char> out) {
  Words words{static_cast<std::uint32_t>(number.high >> 32), static_cast<std::uint32_t>(number.high),
              static_cast<std::uint32_t>(number.low >> 32), static_cast<std::uint32_t>(number.low)};
  write_number(words, digits, out);
}

std::optional<Number128> read(std::string_view text, const Digits& digits) {
  Words words{};
  if (!read_number(text, digits, words)) return {};
  return Number128{std::uint64_t{words[0]} << 32 | words[1], std::uint64_t{words[2]} << 32 | words[3]};
}

std::optional<std::int64_t> id_of(const Number128& number) {
  if (number.high != 0 || number.low >> 63 != 0) return {};
  return static_cast<std::int64_t>(number.low);
}

}  // namespace zerosuite::id::formats
