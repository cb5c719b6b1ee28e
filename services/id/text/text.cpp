#include "id/text/text.hpp"

#include <array>
#include <cstddef>

#include "core/error.hpp"
#include "core/text.hpp"
#include "id/text/digits.hpp"

namespace zerosuite::id::formats {
namespace {

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
