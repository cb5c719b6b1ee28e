#include "id/secret/siv_cipher.hpp"

namespace zerosuite::id::formats {

Number128 SivCipher::close(std::uint64_t number) const {
  const std::uint64_t check = siphash(number, check_);
  return {check, number ^ siphash(check, mask_)};
}

std::optional<std::uint64_t> SivCipher::open(const Number128& sealed) const {
  const std::uint64_t number = sealed.low ^ siphash(sealed.high, mask_);
  if (!equal(siphash(number, check_), sealed.high)) return {};
  return number;
}

}  // namespace zerosuite::id::formats
