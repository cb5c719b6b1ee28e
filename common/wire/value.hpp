// Any value a peer can send, when its type is not known before it arrives.
#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "core/integer.hpp"
#include "wire/reader.hpp"

namespace zerosuite::wire {

using core::Integer;

/// Raw bytes: msgpack bin, where std::string is text (msgpack str).
struct Bytes {
  std::string data;
  friend bool operator==(const Bytes&, const Bytes&) = default;
};

/// An application's own type, passed through undecoded (−1 is MessagePack's timestamp).
struct Ext {
  std::int8_t type = 0;
  std::string data;
  friend bool operator==(const Ext&, const Ext&) = default;
};

struct Value;
struct DictEntry;
using List = std::vector<Value>;

/// Keeps the order of arrival: a map is echoed as it was sent.
struct Dict : std::vector<DictEntry> {
  using vector::vector;

  /// Appends an entry and returns *this. Does not check for duplicate keys.
  Dict& add(std::string_view key, Value value);
};

/// nil, bool, int, float, str, bytes, list, dict or ext. A plain value type; C++ values of these kinds
/// convert to it implicitly.
struct Value {
  Value();  ///< nil
  template <std::integral T>
  Value(T number) : data(std::conditional_t<std::same_as<T, bool>, bool, Integer>(number)) {}
  Value(Integer number);
  Value(double number);
  Value(std::chrono::milliseconds duration);
  Value(std::string text);
  Value(std::string_view text);
  Value(const char* text);
  Value(Bytes bytes);
  Value(List list);
  Value(Dict dict);
  Value(Ext ext);
  /// nil when there is no value.
  template <class T>
  Value(const std::optional<T>& value);

  template <class T>
  const T* as() const {
    return std::get_if<T>(&data);
  }
  bool is_nil() const { return data.index() == 0; }
  friend bool operator==(const Value& left, const Value& right);

  std::variant<std::monostate, bool, Integer, double, std::string, Bytes, List, Dict, Ext> data;
};

struct DictEntry {
  Value key;
  Value value;
  friend bool operator==(const DictEntry&, const DictEntry&) = default;
};

// Not before a dict's entries are known: each of these may have to destroy one.
inline Value::Value() = default;
template <class T>
Value::Value(const std::optional<T>& value) : Value(value ? Value(*value) : Value()) {}
inline Value::Value(Integer number) : data(number) {}
inline Value::Value(double number) : data(number) {}
inline Value::Value(std::chrono::milliseconds duration) : data(Integer(duration.count())) {}
inline Value::Value(std::string text) : data(std::move(text)) {}
inline Value::Value(std::string_view text) : data(std::string(text)) {}
inline Value::Value(const char* text) : data(std::string(text)) {}
inline Value::Value(Bytes bytes) : data(std::move(bytes)) {}
inline Value::Value(Ext ext) : data(std::move(ext)) {}
inline Value::Value(List list) : data(std::move(list)) {}
inline Value::Value(Dict dict) : data(std::move(dict)) {}

inline Dict& Dict::add(std::string_view key, Value value) {
  push_back({key, std::move(value)});
  return *this;
}

/// The text of a str or bytes: where text is meant, peers send either. The view refers to the value.
inline std::optional<std::string_view> text_of(const Value& value) {
  if (const auto* text = value.as<std::string>()) return *text;
  if (const auto* bytes = value.as<Bytes>()) return bytes->data;
  return {};
}

/// The value under a text key; null when there is none.
inline const Value* find(const Dict& dict, std::string_view key) {
  const auto found = std::find_if(dict.begin(), dict.end(),
                                  [&](const DictEntry& entry) { return text_of(entry.key) == key; });
  return found == dict.end() ? nullptr : &found->value;
}

/// The Python name of the value's type: "int", "str", "list", "NoneType", ….
inline std::string_view python_name(const Value& value) {
  static_assert(std::variant_size_v<decltype(value.data)> == static_cast<std::size_t>(Kind::kNone),
                "the alternatives of Value stand in the order of Kind");
  return python_name(static_cast<Kind>(value.data.index()));
}

inline bool operator==(const Value& left, const Value& right) { return left.data == right.data; }

}  // namespace zerosuite::wire
