// Numbers of any width in any base: the one conversion under every text form of an id. Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace zerosuite::id::formats {

/// The digits of a base, of 16, 32, 36, 58 or 62.
class Digits {
 public:
  constexpr explicit Digits(std::string_view digits) : digits_(digits) {
    values_.fill(kNone);
    for (std::size_t i = 0; i < digits.size(); ++i)
      values_[static_cast<std::uint8_t>(digits[i])] = static_cast<std::uint8_t>(i);
  }

  constexpr std::uint32_t base() const { return static_cast<std::uint32_t>(digits_.size()); }
  constexpr char digit(std::uint32_t value) const { return digits_[value]; }
  /// base() or more when it is no digit of these.
  constexpr std::uint32_t value(char digit) const { return values_[static_cast<std::uint8_t>(digit)]; }

 private:
  static constexpr std::uint8_t kNone = 255;

  std::string_view digits_;
  std::array<std::uint8_t, 256> values_{};
};

inline constexpr Digits kHexDigits{"0123456789abcdef"};
/// Of RFC 4648, "base32hex", in small letters.
inline constexpr Digits kBase32Digits{"0123456789abcdefghijklmnopqrstuv"};
/// https://www.crockford.com/base32.html
inline constexpr Digits kCrockfordDigits{"0123456789ABCDEFGHJKMNPQRSTVWXYZ"};
inline constexpr Digits kBase36Digits{"0123456789abcdefghijklmnopqrstuvwxyz"};
/// Bitcoin's, which are in ASCII order.
inline constexpr Digits kBase58Digits{"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"};
inline constexpr Digits kBase62Digits{"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"};

/// Writes a number, which `out` must have digits enough for, with leading zeros. `words` has its most
/// significant first, and holds nothing of use afterwards.
void write_number(std::span<std::uint32_t> words, const Digits& digits, std::span<char> out);

/// Reads one into `words`. False when some character is no digit, or when it does not fit.
bool read_number(std::string_view text, const Digits& digits, std::span<std::uint32_t> words);

}  // namespace zerosuite::id::formats
