// Unpredictable bytes, straight from the kernel (getrandom(2)), so they are also fresh after fork.
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

/// That many random bytes as lower-case hexadecimal digits: a name that cannot be guessed. Any thread.
std::string random_hex(std::size_t bytes);

}  // namespace zerosuite::core
