// A pull parser for MessagePack (github.com/msgpack/msgpack/blob/master/spec.md) over a buffer it does not
// own.
//
// Used instead of msgpack-c's parser because an event is routed by its header and name alone, ids must be
// echoed byte for byte, and arguments are read directly into their C++ types. msgpack-c's unpacker builds an
// object tree first and allocates by declared lengths. The unit tests and the fuzz target compare this parser
// with msgpack-c's.
//
// Allocates nothing, never reads past the end. Any thread; one thread at a time for each Reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/integer.hpp"
#include "wire/limits.hpp"

namespace zerosuite::wire {

using core::Integer;

enum class Kind : std::uint8_t { kNil, kBool, kInt, kFloat, kStr, kBin, kArray, kMap, kExt, kNone };

/// The Python name of the kind ("int", "str", "list", "NoneType", …), as error texts show it.
std::string_view python_name(Kind kind);

/// Why skip() refused a value; kNone if it did not.
enum class Damage : std::uint8_t { kNone, kMalformed, kTooDeep, kTooMany };

/// An extension value; type −1 is a timestamp, negative ones are MessagePack's own.
struct ExtView {
  std::int8_t type = 0;
  std::string_view data;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool at_end() const { return at_ == end_; }
  const char* position() const { return at_; }
  /// The kind of the next value; kNone at the end or at the byte 0xc1, which MessagePack never uses.
  Kind peek() const;

  // Most values in a call have a prefix of one byte; those are read inline.

  // Each takes the next value if it is of that kind and complete; otherwise it returns empty and takes
  // nothing.
  bool nil();
  std::optional<bool> boolean();
  std::optional<Integer> integer() {
    const int code = next();
    if (code < 0 || (code > kMostFixed && code < kLeastNegative)) return wide_integer();
    ++at_;
    return Integer{static_cast<std::int8_t>(code)};
  }
  std::optional<double> floating();  ///< float32 and float64; not integers.
  /// Includes the old raw types, which share its codes.
  std::optional<std::string_view> str() {
    std::string_view text;
    return take_short(text) ? std::optional(text) : long_str();
  }
  std::optional<std::string_view> bin();
  /// str or bin: where text is meant, peers send either.
  std::optional<std::string_view> text() {
    std::string_view text;
    return take_text(text) ? std::optional(text) : std::nullopt;
  }
  /// As text(), but without an optional: returns false if there is none.
  bool take_text(std::string_view& text) { return take_short(text) || take_long_text(text); }
  /// The count; that many values follow.
  std::optional<std::uint32_t> array() {
    const auto count = short_count(kFixedArray);
    return count ? count : long_array();
  }
  /// The count of pairs; twice as many values follow.
  std::optional<std::uint32_t> map() {
    const auto count = short_count(kFixedMap);
    return count ? count : long_map();
  }
  std::optional<ExtView> ext();

  /// Skips one complete value, checking that every declared length is backed by bytes. Returns its encoded
  /// bytes; empty when the value is refused, for the reason given by damage(). Not recursive.
  std::string_view skip(const Limits& limits);
  Damage damage() const { return damage_; }

 private:
  /// The decoded prefix of the next value: its kind, the prefix's size, and the payload's size or the count
  /// of elements.
  struct Head {
    Kind kind = Kind::kNone;
    std::uint8_t prefix = 0;  // 0: the prefix itself is truncated
    std::uint32_t size = 0;
  };
  Head head() const;

  static constexpr int kMostFixed = 0x7f;      // 0x00 to 0x7f are the integers 0 to 127,
  static constexpr int kLeastNegative = 0xe0;  // 0xe0 to 0xff are -32 to -1
  static constexpr int kFixedMap = 0x80;
  static constexpr int kFixedArray = 0x90;
  static constexpr int kFixedStr = 0xa0;

  // The next byte; -1 at the end.
  int next() const { return at_ == end_ ? -1 : static_cast<unsigned char>(*at_); }
  bool take_short(std::string_view& text) {
    const int code = next();
    const auto size = static_cast<std::size_t>(code & 0x1f);
    if ((code & ~0x1f) != kFixedStr || left() <= size) return false;
    text = {at_ + 1, size};
    at_ += 1 + size;
    return true;
  }
  std::optional<std::uint32_t> short_count(int code) {
    if ((next() & ~0xf) != code) return {};
    return static_cast<std::uint32_t>(*at_++) & 0xf;
  }
  std::optional<Integer> wide_integer();
  std::optional<std::string_view> long_str();
  bool take_long_text(std::string_view& text);
  std::optional<std::uint32_t> long_array();
  std::optional<std::uint32_t> long_map();
  std::string_view skip_nested(const Limits& limits);
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  std::optional<std::string_view> take(Kind kind) { return take(kind, kind); }
  std::optional<std::string_view> take(Kind kind, Kind or_kind);
  std::optional<std::uint32_t> take_count(Kind kind);

  const char* at_;
  const char* end_;
  Damage damage_ = Damage::kNone;
};

}  // namespace zerosuite::wire
