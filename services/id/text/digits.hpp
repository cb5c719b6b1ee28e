// 128-bit numbers in any base: the conversion that all text forms of ids use; and the plain forms.
// Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace zerosuite::id::formats {

__extension__ using Number128 = unsigned __int128;  // ISO C++ has no such type; g++ and clang do

constexpr Number128 joined(std::uint64_t high, std::uint64_t low) { return Number128{high} << 64 | low; }
constexpr std::uint64_t high_half(Number128 number) { return static_cast<std::uint64_t>(number >> 64); }
constexpr std::uint64_t low_half(Number128 number) { return static_cast<std::uint64_t>(number); }
/// The `bits` lowest bits of the value; fewer than 64.
constexpr std::uint64_t low_bits(std::uint64_t value, int bits) {
  return value & ((std::uint64_t{1} << bits) - 1);
}

/// The digits of base 16, 32, 36, 58 or 62.
class Digits {
 public:
  constexpr explicit Digits(std::string_view digits) : digits_(digits) {
    values_.fill(kNone);
    for (std::size_t i = 0; i < digits.size(); ++i)
      values_[static_cast<std::uint8_t>(digits[i])] = static_cast<std::uint8_t>(i);
  }

  constexpr std::uint32_t base() const { return static_cast<std::uint32_t>(digits_.size()); }
  constexpr char digit(std::uint32_t value) const { return digits_[value]; }
  /// ≥ base() if the character is not a digit.
  constexpr std::uint32_t value(char digit) const { return values_[static_cast<std::uint8_t>(digit)]; }

 private:
  static constexpr std::uint8_t kNone = 255;

  std::string_view digits_;
  std::array<std::uint8_t, 256> values_{};
};

inline constexpr Digits kHexDigits{"0123456789abcdef"};
/// RFC 4648, "base32hex", in lower case.
inline constexpr Digits kBase32Digits{"0123456789abcdefghijklmnopqrstuv"};
/// https://www.crockford.com/base32.html
inline constexpr Digits kCrockfordDigits{"0123456789ABCDEFGHJKMNPQRSTVWXYZ"};
inline constexpr Digits kBase36Digits{"0123456789abcdefghijklmnopqrstuvwxyz"};
/// Bitcoin's, which are in ASCII order.
inline constexpr Digits kBase58Digits{"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"};
inline constexpr Digits kBase62Digits{"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"};

/// Fills `out`, which must be long enough for the number, with its digits and leading zeros.
void write(Number128 number, const Digits& digits, std::span<char> out);

/// nullopt if a character is not a digit, or if the number has more than 128 bits.
std::optional<Number128> read(std::string_view text, const Digits& digits);

/// nullopt if the number has more than 63 bits.
std::optional<std::int64_t> id_of(Number128 number);

/// Ids as text: one text per id, of fixed length, so that texts sort as their ids do (except for plain
/// decimal).
enum class Form : std::uint8_t {
  kDecimal,  ///< Not padded.
  kBase32,   ///< Crockford's, 13 digits (https://www.crockford.com/base32.html)
  kBase36,   ///< 0-9a-z, 13 digits
  kBase58,   ///< Bitcoin's digits in ASCII order, 11 digits
  kBase62,   ///< 0-9A-Za-z, 11 digits
  kHex,      ///< 16 digits, lower case
};

/// "dec", "b32", "b36", "b58", "b62", "hex".
std::optional<Form> form_of(std::string_view name);

/// The text of an id ≥ 0.
std::string encode(std::int64_t id, Form form);

/// The id of a text that encode() made. Throws core::Failure InvalidArgument for anything else: other digits,
/// another length, an id of 2^63 or more. Crockford's I, L and O and small letters are not taken for what
/// they look like.
std::int64_t decode(std::string_view text, Form form);

/// A text in quotation marks for a message, or its length if it is longer than any id.
std::string shown(std::string_view text);

}  // namespace zerosuite::id::formats
