#include "id/secret/feistel_cipher.hpp"

#include "id/text/digits.hpp"

namespace zerosuite::id::formats {
namespace {

constexpr unsigned kRounds = 12;

}  // namespace

std::uint64_t FeistelCipher::apply(std::uint64_t number) const {
  Halves halves = split(number);
  for (unsigned round = 0; round < kRounds; ++round) turn(halves, round);
  return join(halves);
}

std::uint64_t FeistelCipher::invert(std::uint64_t number) const {
  Halves halves = split(number);
  for (unsigned round = kRounds; round-- > 0;) turn(halves, round);
  return join(halves);
}

FeistelCipher::Halves FeistelCipher::split(std::uint64_t number) const {
  return {low_bits(number >> right_bits_, left_bits_), low_bits(number, right_bits_)};
}

// XOR makes each round its own inverse.
void FeistelCipher::turn(Halves& halves, unsigned round) const {
  const bool even = round % 2 == 0;
  const std::uint64_t other = even ? halves.right : halves.left;
  const std::uint64_t mask = siphash(std::uint64_t{round} << 32 | other, key_);
  (even ? halves.left : halves.right) ^= low_bits(mask, even ? left_bits_ : right_bits_);
}

}  // namespace zerosuite::id::formats
