#include "id/text/digits.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "core/error.hpp"
#include "core/text.hpp"

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

struct Row {
  std::string_view name;
  const Digits* digits = nullptr;  // null: plain decimal
  std::size_t length = 0;
};

// In the order of Form.
constexpr std::array<Row, 6> kRows = {{{"dec"},
                                       {"b32", &kCrockfordDigits, 13},
                                       {"b36", &kBase36Digits, 13},
                                       {"b58", &kBase58Digits, 11},
                                       {"b62", &kBase62Digits, 11},
                                       {"hex", &kHexDigits, 16}}};

const Row& row_of(Form form) { return kRows[static_cast<std::size_t>(form)]; }

std::optional<std::int64_t> from_decimal(std::string_view text) {
  if (text.empty() || text.front() == '-' || (text.front() == '0' && text.size() > 1)) return {};
  return core::parse<std::int64_t>(text);
}

std::optional<std::int64_t> from_digits(std::string_view text, const Row& row) {
  if (text.size() != row.length) return {};
  const auto number = read(text, *row.digits);
  return number ? id_of(*number) : std::nullopt;
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

std::optional<Form> form_of(std::string_view name) {
  for (std::size_t i = 0; i < kRows.size(); ++i)
    if (kRows[i].name == name) return static_cast<Form>(i);
  return {};
}

std::string encode(std::int64_t id, Form form) {
  const Row& row = row_of(form);
  if (row.digits == nullptr) return std::to_string(id);
  std::string text(row.length, '\0');
  write(static_cast<std::uint64_t>(id), *row.digits, text);
  return text;
}

std::int64_t decode(std::string_view text, Form form) {
  const Row& row = row_of(form);
  const auto id = row.digits == nullptr ? from_decimal(text) : from_digits(text, row);
  if (id) return *id;
  throw core::Failure(core::kInvalidArgument,
                      shown(text) + " is not what an id looks like as '" + std::string(row.name) + "'");
}

std::string shown(std::string_view text) {
  constexpr std::size_t kLongest = 64;
  if (text.size() > kLongest) return "a text of " + std::to_string(text.size()) + " bytes";
  return "'" + std::string(text) + "'";
}

}  // namespace zerosuite::id::formats
