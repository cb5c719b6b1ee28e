#include "id/random/ksuid.hpp"

#include <array>

namespace zerosuite::id::formats {

Ksuid Ksuid::plus(std::uint64_t step) const {
  const Number128 sum = random.plus(step);
  return {sum < random ? seconds + 1 : seconds, sum};
}

std::string ksuid_text(const Ksuid& ksuid) {
  const auto& [high, low] = ksuid.random;
  std::array<std::uint32_t, 5> words{ksuid.seconds, static_cast<std::uint32_t>(high >> 32),
                                     static_cast<std::uint32_t>(high), static_cast<std::uint32_t>(low >> 32),
                                     static_cast<std::uint32_t>(low)};
  std::string text(27, '\0');
  write_number(words, kBase62Digits, text);
  return text;
}

}  // namespace zerosuite::id::formats
