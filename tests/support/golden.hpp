// The files of tests/golden: payloads of stock peers as commented hexadecimal, and tables of expectations.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/bytes.hpp"
#include "support/source_path.hpp"

namespace zerosuite::test {

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
