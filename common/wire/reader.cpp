#include "wire/reader.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace zerosuite::wire {
namespace {

template <class T>
T big_endian(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  if constexpr (sizeof(T) == 2) value = static_cast<T>(__builtin_bswap16(value));
  if constexpr (sizeof(T) == 4) value = static_cast<T>(__builtin_bswap32(value));
  if constexpr (sizeof(T) == 8) value = static_cast<T>(__builtin_bswap64(value));
  return value;
}

std::uint32_t length(const char* at, std::size_t width) {
  if (width == 1) return static_cast<std::uint8_t>(*at);
  if (width == 2) return big_endian<std::uint16_t>(at);
  return big_endian<std::uint32_t>(at);
}

// The layout of the codes 0xc0 … 0xdf. `width` is the size of the length field after the code, or 0 when
// `fixed` is the size of the payload. An ext's payload includes its type byte.
struct Code {
  Kind kind;
  std::uint8_t width;
  std::uint8_t fixed;
};
constexpr std::array<Code, 32> kCodes{{
    {Kind::kNil, 0, 0},   {Kind::kNone, 0, 0},  {Kind::kBool, 0, 0},  {Kind::kBool, 0, 0},   // c0 … c3
    {Kind::kBin, 1, 0},   {Kind::kBin, 2, 0},   {Kind::kBin, 4, 0},   {Kind::kExt, 1, 0},    // c4 … c7
    {Kind::kExt, 2, 0},   {Kind::kExt, 4, 0},   {Kind::kFloat, 0, 4}, {Kind::kFloat, 0, 8},  // c8 … cb
    {Kind::kInt, 0, 1},   {Kind::kInt, 0, 2},   {Kind::kInt, 0, 4},   {Kind::kInt, 0, 8},    // cc … cf
    {Kind::kInt, 0, 1},   {Kind::kInt, 0, 2},   {Kind::kInt, 0, 4},   {Kind::kInt, 0, 8},    // d0 … d3
    {Kind::kExt, 0, 2},   {Kind::kExt, 0, 3},   {Kind::kExt, 0, 5},   {Kind::kExt, 0, 9},    // d4 … d7
    {Kind::kExt, 0, 17},  {Kind::kStr, 1, 0},   {Kind::kStr, 2, 0},   {Kind::kStr, 4, 0},    // d8 … db
    {Kind::kArray, 2, 0}, {Kind::kArray, 4, 0}, {Kind::kMap, 2, 0},   {Kind::kMap, 4, 0},    // dc … df
}};

Integer decode_integer(std::uint8_t code, const char* payload) {
  switch (code) {
    case 0xcc:
      return static_cast<std::uint8_t>(*payload);
    case 0xcd:
      return big_endian<std::uint16_t>(payload);
    case 0xce:
      return big_endian<std::uint32_t>(payload);
    case 0xcf:
      return big_endian<std::uint64_t>(payload);
    case 0xd0:
      return static_cast<std::int8_t>(*payload);
    case 0xd1:
      return static_cast<std::int16_t>(big_endian<std::uint16_t>(payload));
    case 0xd2:
      return static_cast<std::int32_t>(big_endian<std::uint32_t>(payload));
    case 0xd3:
      return static_cast<std::int64_t>(big_endian<std::uint64_t>(payload));
    default:
      return static_cast<std::int8_t>(code);  // a fixint is its own value
  }
}

}  // namespace

std::string_view python_name(Kind kind) {
  constexpr std::array<std::string_view, 10> kNames{"NoneType", "bool", "int",  "float",   "str",
                                                    "bytes",    "list", "dict", "ExtType", "nothing"};
  return kNames[static_cast<std::size_t>(kind)];
}

// Forced inline, like take() and take_count(): reading a call takes some twenty of these.
[[gnu::always_inline]] inline Reader::Head Reader::head() const {
  if (at_ == end_) return {};
  const auto code = static_cast<std::uint8_t>(*at_);
  if (code <= 0x7f || code >= 0xe0) return {Kind::kInt, 1, 0};
  if (code <= 0x8f) return {Kind::kMap, 1, code & 0x0fU};
  if (code <= 0x9f) return {Kind::kArray, 1, code & 0x0fU};
  if (code <= 0xbf) return {Kind::kStr, 1, code & 0x1fU};
  const Code layout = kCodes[code - 0xc0U];
  if (layout.width == 0) return {layout.kind, 1, layout.fixed};
  if (left() < 1U + layout.width) return {layout.kind, 0, 0};
  Head head{layout.kind, static_cast<std::uint8_t>(1 + layout.width), length(at_ + 1, layout.width)};
  if (head.kind == Kind::kExt) {
    if (left() - head.prefix < std::size_t{head.size} + 1)
      return {Kind::kExt, 0, 0};  // + 1 must not wrap below
    ++head.size;
  }
  return head;
}

Kind Reader::peek() const { return head().kind; }

[[gnu::always_inline]] inline std::optional<std::string_view> Reader::take(Kind kind, Kind or_kind) {
  const Head next = head();
  if ((next.kind != kind && next.kind != or_kind) || next.prefix == 0 || left() - next.prefix < next.size)
    return {};
  const std::string_view payload(at_ + next.prefix, next.size);
  at_ += next.prefix + next.size;
  return payload;
}

[[gnu::always_inline]] inline std::optional<std::uint32_t> Reader::take_count(Kind kind) {
  const Head next = head();
  if (next.kind != kind || next.prefix == 0) return {};
  at_ += next.prefix;
  return next.size;
}

bool Reader::nil() { return take(Kind::kNil).has_value(); }

std::optional<bool> Reader::boolean() {
  const char* const start = at_;
  if (!take(Kind::kBool)) return {};
  return static_cast<std::uint8_t>(*start) == 0xc3;
}

std::optional<Integer> Reader::wide_integer() {
  const char* const start = at_;
  const auto payload = take(Kind::kInt);
  if (!payload) return {};
  return decode_integer(static_cast<std::uint8_t>(*start), payload->data());
}

std::optional<double> Reader::floating() {
  const auto payload = take(Kind::kFloat);
  if (!payload) return {};
  if (payload->size() == 4)
    return static_cast<double>(std::bit_cast<float>(big_endian<std::uint32_t>(payload->data())));
  return std::bit_cast<double>(big_endian<std::uint64_t>(payload->data()));
}

std::optional<std::string_view> Reader::long_str() { return take(Kind::kStr); }
std::optional<std::string_view> Reader::bin() { return take(Kind::kBin); }

bool Reader::take_long_text(std::string_view& text) {
  const auto payload = take(Kind::kStr, Kind::kBin);
  if (payload) text = *payload;
  return payload.has_value();
}

std::optional<std::uint32_t> Reader::long_array() { return take_count(Kind::kArray); }
std::optional<std::uint32_t> Reader::long_map() { return take_count(Kind::kMap); }

std::optional<ExtView> Reader::ext() {
  const auto payload = take(Kind::kExt);
  if (!payload) return {};
  return ExtView{static_cast<std::int8_t>(payload->front()), payload->substr(1)};
}

std::string_view Reader::skip(const Limits& limits) {
  if (limits.max_elements > 0) {  // most values contain no others
    const char* const start = at_;
    const Head next = head();
    const bool plain = next.kind != Kind::kNone && next.kind != Kind::kArray && next.kind != Kind::kMap;
    if (plain && next.prefix != 0 && next.size <= left() - next.prefix) {
      at_ += next.prefix + next.size;
      return {start, static_cast<std::size_t>(at_ - start)};
    }
  }
  return skip_nested(limits);
}

std::string_view Reader::skip_nested(const Limits& limits) {
  std::array<std::uint64_t, kMostNesting> pending;  // values still to come at each open level
  std::size_t depth = 0;
  std::size_t seen = 0;
  const char* const start = at_;
  const auto refuse = [&](Damage damage) {
    damage_ = damage;
    at_ = start;
    return std::string_view();
  };

  for (;;) {
    const Head next = head();
    if (next.kind == Kind::kNone || next.prefix == 0) return refuse(Damage::kMalformed);
    if (++seen > limits.max_elements) return refuse(Damage::kTooMany);
    at_ += next.prefix;
    if (next.kind == Kind::kArray || next.kind == Kind::kMap) {
      const std::uint64_t values = std::uint64_t{next.size} * (next.kind == Kind::kMap ? 2 : 1);
      if (values > left()) return refuse(Damage::kMalformed);  // each takes at least one byte
      if (depth == kMostNesting || depth == limits.max_nesting) return refuse(Damage::kTooDeep);
      if (values > 0) {
        pending[depth++] = values;
        continue;
      }
    } else {
      if (next.size > left()) return refuse(Damage::kMalformed);
      at_ += next.size;
    }
    while (depth > 0 && --pending[depth - 1] == 0) --depth;
    if (depth == 0) return {start, static_cast<std::size_t>(at_ - start)};
  }
}

}  // namespace zerosuite::wire
