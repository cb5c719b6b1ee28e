// The hash for tables keyed by data from peers: it uses a random key, so that no peer can choose keys that
// all fall into one bucket and degrade the table to a list.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace zerosuite::core {

/// SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", INDOCRYPT 2012) with a key drawn
/// once per process. Use it as `std::unordered_map<std::string, T, KeyedHash, std::equal_to<>>`, which can be
/// searched by std::string_view too. Differs between processes: not for data that is stored or sent. Any
/// thread. Throws std::system_error when the kernel has no randomness for the key.
///
/// Deliberately not noexcept: libstdc++ then caches each node's hash instead of recomputing it for every
/// neighbour in a bucket.
struct KeyedHash {
  using is_transparent = void;

  std::size_t operator()(std::string_view text) const;
  std::size_t operator()(std::span<const std::byte> bytes) const;
  std::size_t operator()(std::uint64_t number) const;
};

}  // namespace zerosuite::core
