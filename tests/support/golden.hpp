// Bytes in tests, written as people read them, and the files of tests/golden: payloads of stock peers as
// commented hexadecimal, and tables of expectations.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

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

/// The path of a file of this repository, given relative to its root. Defined in unit/main.cpp, the one
/// object that knows where the repository is: all others compile to the same bytes in every clone, which a
/// compiler cache can use.
std::string source_path(const std::string& relative);

/// The lines of a file of tests/golden without comments (from # on) and without empty lines. Throws
/// std::runtime_error when there is no such file.
inline std::vector<std::string> golden_lines(const std::string& file) {
  std::ifstream in(source_path("tests/golden/" + file));
  if (!in) throw std::runtime_error("no tests/golden/" + file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    line.resize(std::min(line.find('#'), line.size()));
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

/// The bytes of tests/golden/`name`.hex.
inline std::string golden(const std::string& name) {
  std::string bytes;
  for (const std::string& line : golden_lines(name + ".hex")) bytes += from_hex(line);
  return bytes;
}

/// The names of all payloads, sorted.
inline std::vector<std::string> golden_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(source_path("tests/golden")))
    if (entry.path().extension() == ".hex") names.push_back(entry.path().stem());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace zerosuite::test
