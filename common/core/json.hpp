// The details of an error that a program can act on: a JSON object (RFC 8259).
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

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
  Json& put(std::string_view key, const std::string& encoded);

  std::string entries_;
};

}  // namespace zerosuite::core
