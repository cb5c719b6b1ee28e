// Keyed hashes, by libsodium. Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace zerosuite::id::formats {

/// A 128-bit key for one purpose in one context.
using Subkey = std::array<unsigned char, 16>;

/// SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", INDOCRYPT 2012).
std::uint64_t siphash(std::span<const unsigned char> message, const Subkey& key);
/// The same of a number's eight bytes, in little-endian order.
std::uint64_t siphash(std::uint64_t number, const Subkey& key);

/// Keyed BLAKE2b (RFC 7693) of the purpose, a zero byte and the context. `master` has 16 to 64 bytes; the
/// purpose has no zero byte.
Subkey derive(std::span<const unsigned char> master, std::string_view purpose, std::string_view context);

/// Compares in constant time.
bool equal(std::uint64_t left, std::uint64_t right);

}  // namespace zerosuite::id::formats
