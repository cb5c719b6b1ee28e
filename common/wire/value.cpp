#include "wire/value.hpp"

#include <algorithm>

#include "wire/reader.hpp"

namespace zerosuite::wire {

bool operator==(const Value& left, const Value& right) { return left.data == right.data; }

std::optional<std::string_view> text_of(const Value& value) {
  if (const auto* text = value.as<std::string>()) return *text;
  if (const auto* bytes = value.as<Bytes>()) return bytes->data;
  return {};
}

const Value* find(const Dict& dict, std::string_view key) {
  const auto found = std::find_if(dict.begin(), dict.end(),
                                  [&](const DictEntry& entry) { return text_of(entry.key) == key; });
  return found == dict.end() ? nullptr : &found->value;
}

std::string_view python_name(const Value& value) {
  static_assert(std::variant_size_v<decltype(value.data)> == static_cast<std::size_t>(Kind::kNone),
                "the alternatives of Value stand in the order of Kind");
  return python_name(static_cast<Kind>(value.data.index()));
}

}  // namespace zerosuite::wire
