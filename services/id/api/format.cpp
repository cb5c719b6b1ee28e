#include "id/api/format.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <variant>

#include "core/error.hpp"
#include "core/json.hpp"
#include "id/text/digits.hpp"

namespace zerosuite::id {
namespace {

using core::Failure;
using wire::Integer, wire::Value;

enum class Special : std::uint8_t { kInt, kObf, kToken };
using Shape = std::variant<Special, formats::Form>;

Shape shape_of(std::string_view fmt) {
  if (fmt == "int") return Special::kInt;
  if (fmt == "obf") return Special::kObf;
  if (fmt == "token") return Special::kToken;
  if (const auto form = formats::form_of(fmt)) return *form;
  throw Failure(core::kInvalidArgument,
                "fmt must be int, dec, b32, b36, b58, b62, hex, obf or token, not " + formats::shown(fmt));
}

std::string text_of(std::int64_t id, const Shape& shape, const Secrets& secrets) {
  if (const auto* form = std::get_if<formats::Form>(&shape)) return formats::encode(id, *form);
  return std::get<Special>(shape) == Special::kObf ? secrets.obf(id) : secrets.token(id);
}

std::int64_t from_integer(Integer number) {
  if (number >= 0 && number <= std::numeric_limits<std::int64_t>::max())
    return static_cast<std::int64_t>(number);
  const std::string shown = number < 0 ? std::to_string(static_cast<std::int64_t>(number))
                                       : std::to_string(static_cast<std::uint64_t>(number));
  throw Failure(core::kInvalidArgument, "an id is from 0 to 2^63 - 1, not " + shown);
}

// Node.js sends large integers as floats, which are exact only up to 2^53.
std::int64_t from_float(double number) {
  constexpr double kExact = 1LL << 53;
  if (std::trunc(number) == number && std::abs(number) <= kExact)
    return from_integer(static_cast<Integer>(number));
  throw Failure(core::kInvalidArgument,
                "an id that is a float must be a whole number up to 2^53: pass a text for it");
}

std::int64_t from_text(std::string_view text, const Shape& shape, const Secrets& secrets) {
  if (const auto* form = std::get_if<formats::Form>(&shape)) return formats::decode(text, *form);
  switch (std::get<Special>(shape)) {
    case Special::kObf:
      return secrets.deobf(text);
    case Special::kToken:
      return secrets.untoken(text);
    case Special::kInt:
      break;
  }
  return formats::decode(text, formats::Form::kDecimal);
}

}  // namespace

Value Formats::show(std::int64_t id, std::string_view fmt) const {
  const Shape shape = shape_of(fmt);
  if (id < 0) throw Failure(core::kInvalidArgument, "an id is not negative: " + std::to_string(id));
  if (shape == Shape(Special::kInt)) return id;
  return text_of(id, shape, secrets_);
}

void Formats::check(std::string_view fmt) const {
  const Shape shape = shape_of(fmt);
  if (shape == Shape(Special::kObf) || shape == Shape(Special::kToken)) secrets_.require_keys();
}

std::int64_t Formats::read(const Value& id, std::string_view fmt) const {
  const Shape shape = shape_of(fmt);
  const bool whole = shape == Shape(Special::kInt);
  if (const auto text = wire::text_of(id)) return from_text(*text, shape, secrets_);
  if (const auto* number = id.as<Integer>(); whole && number != nullptr) return from_integer(*number);
  if (const auto* number = id.as<double>(); whole && number != nullptr) return from_float(*number);
  throw Failure(core::kTypeError, std::string("id must be ") + (whole ? "int or str" : "str") + ", not " +
                                      std::string(wire::python_name(id)));
}

std::size_t batch_size(std::int64_t n, std::int64_t most) {
  if (n < 1) throw Failure(core::kInvalidArgument, "n must be at least 1, not " + std::to_string(n));
  if (n <= most) return static_cast<std::size_t>(n);
  throw Failure(core::kBatchTooLarge,
                "n must be at most " + std::to_string(most) + ", not " + std::to_string(n),
                core::Json().add("max", most));
}

}  // namespace zerosuite::id
