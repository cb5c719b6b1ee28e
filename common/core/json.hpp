// The JSON object at the end of an error's message, which a program can act on (RFC 8259).
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace zerosuite::core {

/// Made entry by entry; a plain value type.
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
  std::string text() const { return "{" + entries_ + "}"; }

 private:
  Json& put(std::string_view key, const std::string& encoded);

  std::string entries_;
};

/// A message without the object at its end, to stand inside another one.
std::string without_json(const std::string& message);

/// `words`, a blank, and the object.
inline std::string with_json(std::string words, const Json& object) {
  return std::move(words) + " " + object.text();
}

}  // namespace zerosuite::core
