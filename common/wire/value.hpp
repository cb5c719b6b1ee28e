// Any value a peer can send, when its type is not known before it arrives.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/integer.hpp"

namespace zerosuite::wire {

using core::Integer;

/// Raw bytes: msgpack bin, where std::string is text (msgpack str).
struct Bytes {
  std::string data;
  friend bool operator==(const Bytes&, const Bytes&) = default;
};

/// An application's own type, passed through unread (−1 is MessagePack's timestamp).
struct Ext {
  std::int8_t type = 0;
  std::string data;
  friend bool operator==(const Ext&, const Ext&) = default;
};

struct Value;
using List = std::vector<Value>;
struct DictEntry;
/// In the order they came: a map is echoed as it was sent.
using Dict = std::vector<DictEntry>;

/// nil, bool, int, float, str, bytes, list, dict or ext. A plain value type.
struct Value {
  std::variant<std::monostate, bool, Integer, double, std::string, Bytes, List, Dict, Ext> data;

  template <class T>
  const T* as() const {
    return std::get_if<T>(&data);
  }
  bool is_nil() const { return data.index() == 0; }
};

bool operator==(const Value& left, const Value& right);

struct DictEntry {
  Value key;
  Value value;
  friend bool operator==(const DictEntry&, const DictEntry&) = default;
};

/// A str of its own.
Value text_value(std::string_view text);

/// The text of a str or bytes: where text is meant, peers send either. The view is of the value.
std::optional<std::string_view> text_of(const Value& value);

/// The value under a text key; null when there is none.
const Value* find(const Dict& dict, std::string_view key);

/// The Python name of the value's type: "int", "str", "list", "NoneType", ….
std::string_view python_name(const Value& value);

}  // namespace zerosuite::wire
