#include "id/secret/seal.hpp"

namespace zerosuite::id::formats {

Number128 Seal::close(std::uint64_t number) const {
  const std::uint64_t check = siphash(number, check_);
  return {check, number ^ siphash(check, mask_)};
}

std::optional<std::uint64_t> Seal::open(const Number128& sealed) const {
  const std::uint64_t number = sealed.low ^ siphash(sealed.high, mask_);
  if (!equal(siphash(number, check_), sealed.high)) return {};
  return number;
}

}  // namespace zerosuite::id::formats
