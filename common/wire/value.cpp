#include "wire/value.hpp"

#include "wire/reader.hpp"

namespace zerosuite::wire {

bool operator==(const Value& left, const Value& right) { return left.data == right.data; }

std::string_view python_name(const Value& value) {
  static_assert(std::variant_size_v<decltype(value.data)> == static_cast<std::size_t>(Kind::kNone),
                "the alternatives of Value stand in the order of Kind");
  return python_name(static_cast<Kind>(value.data.index()));
}

}  // namespace zerosuite::wire
