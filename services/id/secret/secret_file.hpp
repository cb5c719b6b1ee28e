// Files that only their owner may read, and the keys in one of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/secret.hpp"

namespace zerosuite::id {

/// Throws core::Failure InvalidArgument with the place of a secret and what is wrong with it.
[[noreturn]] void refuse_secret(const std::string& place, const std::string& why);

/// Returns the contents of a file. Throws core::Failure InvalidArgument with its name if it cannot be read,
/// or if users other than its owner may read or write it.
core::SecretText read_private(const std::string& path);

/// Returns the contents of a file without white space at the end; throws as read_private(), and
/// InvalidArgument if nothing is left.
core::SecretText read_secret(const std::string& path);

/// One of the keys that ids are encrypted with.
struct SecretKey {
  char id = '0';  ///< 0-9A-Za-z: the first character of every text made with the key.
  core::SecretVector<unsigned char> bytes = {};  ///< 16 to 64
};

/// Parses keys from a file or from the environment: one per line, with its character and its hexadecimal
/// digits, the active one first.
///
///   # since May
///   b 8f1c0e5d2a7b4c639e80d1f24a5b6c7d
///   a 00112233445566778899aabbccddeeff
///
/// `text` is from `place`, with lines separated by `separator`. No error message contains a key. Throws
/// core::Failure InvalidArgument with place and line for a malformed line, a key of less than 128 bits or a
/// repeated character, and if there is no key.
std::vector<SecretKey> parse_keys(std::string_view text, const std::string& place, char separator = '\n');

/// Reads the keys from a file. Throws as parse_keys(), and also if the file cannot be read or other users may
/// read or write it.
std::vector<SecretKey> read_keys(const std::string& path);

}  // namespace zerosuite::id
