#include "core/json.hpp"

#include <array>
#include <cstdio>

namespace zerosuite::core {
namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(c));
      out += escape.data();
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace

Json& Json::add(std::string_view key, std::string_view text) { return put(key, quoted(text)); }

Json& Json::put(std::string_view key, const std::string& encoded) {
  entries_ += (entries_.empty() ? "" : ",") + quoted(key) + ":" + encoded;
  return *this;
}

}  // namespace zerosuite::core
