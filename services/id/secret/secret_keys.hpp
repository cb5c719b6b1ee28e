// The keys under which ids become secrets, from a file or from the environment: one on each line, its
// character and its hexadecimal digits, the one in use first.
//
//   # since May
//   b 8f1c0e5d2a7b4c639e80d1f24a5b6c7d
//   a 00112233445566778899aabbccddeeff
//
// No message ever shows a key.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/secret.hpp"

namespace zerosuite::id {

struct SecretKey {
  char id = '0';                                 ///< 0-9A-Za-z: what is made with it begins so.
  core::SecretVector<unsigned char> bytes = {};  ///< 16 to 64
};

/// `text` from `place`, lines separated by `separator`. Throws core::Failure InvalidArgument with place and
/// line for what is no such line, for a key of less than 128 bits, for the same character twice, and when
/// there is none.
std::vector<SecretKey> parse_keys(std::string_view text, const std::string& place, char separator = '\n');

/// Of a file that only its owner may read or write. Throws as parse_keys(), also when it is open to
/// others or cannot be read.
std::vector<SecretKey> read_keys(const std::string& path);

}  // namespace zerosuite::id
