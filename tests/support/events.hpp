// zerorpc events as tests write and read them: made from C++ values, shown as one line of text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "wire/codec.hpp"
#include "wire/event.hpp"

namespace zerosuite::test {

inline std::string text_of(const wire::Buffer& buffer) { return {buffer.data(), buffer.size()}; }

/// The values, encoded as one array.
template <class... A>
std::string list(const A&... values) {
  wire::Buffer out;
  wire::Packer packer(out);
  packer.pack_array(sizeof...(A));
  (wire::pack(packer, values), ...);
  return text_of(out);
}

/// The value, encoded.
template <class T>
std::string packed(const T& value) {
  wire::Buffer out;
  wire::Packer packer(out);
  wire::pack(packer, value);
  return text_of(out);
}

/// An id as zerorpc-python sends one.
inline std::string bin_id(std::string_view text) { return test::packed(wire::Bytes{std::string(text)}); }

/// An event before it is encoded; every part but the name may be wrong on purpose.
struct Letter {
  std::string id = bin_id("id-1");  ///< Encoded; empty leaves it out.
  std::string response_to = {};     ///< Encoded; empty leaves it out.
  std::string name = {};
  std::string args = list();             ///< Encoded.
  std::optional<int> version = 3;        ///< Left out when empty.
  const wire::Context* extra = nullptr;  ///< Further header keys.
};

inline std::string encode(const Letter& letter) {
  const auto append = [](wire::Buffer& out, std::string_view bytes) {
    out.write(bytes.data(), bytes.size());
  };
  const std::uint32_t keys = (letter.id.empty() ? 0U : 1U) + (letter.version ? 1U : 0U) +
                             (letter.response_to.empty() ? 0U : 1U) +
                             (letter.extra ? letter.extra->count() : 0U);
  wire::Buffer out;
  wire::Packer packer(out);
  packer.pack_array(3);
  packer.pack_map(keys);
  if (!letter.id.empty()) {
    wire::pack_text(packer, "message_id");
    append(out, letter.id);
  }
  if (letter.version) {
    wire::pack_text(packer, "v");
    wire::pack(packer, *letter.version);
  }
  if (letter.extra) append(out, letter.extra->encoded());
  if (!letter.response_to.empty()) {
    wire::pack_text(packer, "response_to");
    append(out, letter.response_to);
  }
  packer.pack_str(static_cast<std::uint32_t>(letter.name.size()));
  append(out, letter.name);
  append(out, letter.args);
  return text_of(out);
}

std::string show(const wire::Value& value);

/// "OK [7]": the event's name and args.
inline std::string show(const wire::Event& event) {
  wire::Reader in(event.args);
  return std::string(event.name) + " " + show(wire::read_value(in));
}

struct Shower {
  std::string operator()(std::monostate) const { return "nil"; }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(wire::Integer value) const {
    return value < 0 ? std::to_string(static_cast<long long>(value))
                     : std::to_string(static_cast<unsigned long long>(value));
  }
  std::string operator()(double value) const { return std::to_string(value); }
  std::string operator()(const std::string& text) const { return '"' + text + '"'; }
  std::string operator()(const wire::Bytes& bytes) const { return "b\"" + bytes.data + '"'; }
  std::string operator()(const wire::Ext& ext) const { return "ext " + std::to_string(ext.type); }
  std::string operator()(const wire::List& values) const {
    std::string text;
    for (const auto& value : values) text += (text.empty() ? "" : ", ") + show(value);
    return "[" + text + "]";
  }
  std::string operator()(const wire::Dict& pairs) const {
    std::string text;
    for (const auto& [key, value] : pairs)
      text += (text.empty() ? "" : ", ") + show(key) + ": " + show(value);
    return "{" + text + "}";
  }
};

/// The value as one line: `[1, "a", nil, {"k": b"v"}]`.
inline std::string show(const wire::Value& value) { return std::visit(Shower(), value.data); }

}  // namespace zerosuite::test
