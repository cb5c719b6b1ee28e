// The details of an error that a program can act on: a JSON object (RFC 8259).
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "core/text.hpp"

namespace zerosuite::core {

/// Built entry by entry. A plain value type.
class Json {
 public:
  Json& add(std::string_view key, std::string_view text);
  Json& add(std::string_view key, std::integral auto number) { return put(key, std::to_string(number)); }
  Json& add(std::string_view key, const Json& object) { return put(key, object.text()); }
  /// A list of objects.
  template <class List>
  Json& add_list(std::string_view key, const List& objects) {
    std::string list;
    for (const Json& object : objects) list += (list.empty() ? "" : ",") + object.text();
    return put(key, "[" + list + "]");
  }
  bool empty() const { return entries_.empty(); }
  std::string text() const { return "{" + entries_ + "}"; }

 private:
  static std::string quoted(std::string_view text);
  Json& put(std::string_view key, const std::string& encoded);

  std::string entries_;
};

inline std::string Json::quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00" + hex({&c, 1});
    } else {
      out += c;
    }
  }
  return out + '"';
}

inline Json& Json::add(std::string_view key, std::string_view text) { return put(key, quoted(text)); }

inline Json& Json::put(std::string_view key, const std::string& encoded) {
  entries_ += (entries_.empty() ? "" : ",") + quoted(key) + ":" + encoded;
  return *this;
}

}  // namespace zerosuite::core
