#include "core/random.hpp"

#include <sys/random.h>

#include <cerrno>
#include <system_error>

#include "core/text.hpp"

namespace zerosuite::core {

void fill_random(std::span<std::byte> out) {
  while (!out.empty()) {
    const auto got = ::getrandom(out.data(), out.size(), 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      throw std::system_error(errno, std::generic_category(), "getrandom");
    }
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

std::uint64_t random_bits() {
  std::uint64_t bits = 0;
  fill_random(std::as_writable_bytes(std::span(&bits, 1)));
  return bits;
}

std::string random_hex(std::size_t bytes) {
  std::string bits(bytes, '\0');
  fill_random(std::as_writable_bytes(std::span(bits)));
  return hex(bits);
}

}  // namespace zerosuite::core
