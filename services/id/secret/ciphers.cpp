#include "id/secret/ciphers.hpp"

#include <sodium.h>

#include <stdexcept>
#include <string>

#include "id/text/digits.hpp"

namespace zerosuite::id::formats {
namespace {

constexpr unsigned kRounds = 12;

}  // namespace

std::uint64_t siphash(std::span<const unsigned char> message, const Subkey& key) {
  static_assert(std::tuple_size_v<Subkey> == crypto_shorthash_siphash24_KEYBYTES);
  std::array<unsigned char, crypto_shorthash_siphash24_BYTES> hash{};
  crypto_shorthash_siphash24(hash.data(), message.data(), message.size(), key.data());
  std::uint64_t number = 0;
  for (std::size_t i = hash.size(); i-- > 0;) number = number << 8 | hash[i];
  return number;
}

std::uint64_t siphash(std::uint64_t number, const Subkey& key) {
  std::array<unsigned char, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<unsigned char>(number >> (8 * i));
  return siphash(bytes, key);
}

Subkey derive(std::span<const unsigned char> master, std::string_view purpose, std::string_view context) {
  const std::string message = std::string(purpose) + '\0' + std::string(context);
  Subkey key{};
  const int failed =
      crypto_generichash(key.data(), key.size(), reinterpret_cast<const unsigned char*>(message.data()),
                         message.size(), master.data(), master.size());
  if (failed != 0) throw std::invalid_argument("a master key has 16 to 64 bytes");
  return key;
}

bool equal(std::uint64_t left, std::uint64_t right) { return sodium_memcmp(&left, &right, sizeof left) == 0; }

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
