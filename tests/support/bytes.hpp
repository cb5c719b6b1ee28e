// Bytes in tests, written as people read them.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace zerosuite::test {

/// The bytes that hexadecimal digits stand for; white space between bytes is skipped. Throws
/// std::invalid_argument at anything else.
inline std::string from_hex(std::string_view digits) {
  const auto nibble = [](char digit) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const std::size_t value = kDigits.find(digit);
    if (value == std::string_view::npos) throw std::invalid_argument("not a hexadecimal digit");
    return static_cast<unsigned>(value);
  };
  std::string bytes;
  for (std::size_t at = 0; at < digits.size(); ++at) {
    if (digits[at] == ' ' || digits[at] == '\n') continue;
    if (at + 1 == digits.size()) throw std::invalid_argument("half a byte");
    bytes.push_back(static_cast<char>(nibble(digits[at]) << 4 | nibble(digits[at + 1])));
    ++at;
  }
  return bytes;
}

/// Two digits for each byte.
inline std::string to_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string digits;
  for (const char byte : bytes) {
    digits.push_back(kDigits[static_cast<std::uint8_t>(byte) >> 4]);
    digits.push_back(kDigits[static_cast<std::uint8_t>(byte) & 0xf]);
  }
  return digits;
}

}  // namespace zerosuite::test
