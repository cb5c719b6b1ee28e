// Unpredictable bytes directly from the kernel (getrandom(2)), and therefore fresh after fork(2) too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace zerosuite::core {

/// Fills `out` with kernel randomness. Throws std::system_error when the kernel refuses. Any thread.
void fill_random(std::span<std::byte> out);

/// 64 random bits. Any thread.
std::uint64_t random_bits();

/// `bytes` random bytes as lower-case hexadecimal digits, e.g. for a name that cannot be guessed. Any thread.
std::string random_hex(std::size_t bytes);

}  // namespace zerosuite::core
