#include "core/json.hpp"

#include "core/text.hpp"

namespace zerosuite::core {
namespace {

std::string quoted(std::string_view text) {
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

}  // namespace

Json& Json::add(std::string_view key, std::string_view text) { return put(key, quoted(text)); }

Json& Json::put(std::string_view key, const std::string& encoded) {
  entries_ += (entries_.empty() ? "" : ",") + quoted(key) + ":" + encoded;
  return *this;
}

}  // namespace zerosuite::core
