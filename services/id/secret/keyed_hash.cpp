#include "id/secret/keyed_hash.hpp"

#include <sodium.h>

#include <stdexcept>
#include <string>

namespace zerosuite::id::formats {

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

}  // namespace zerosuite::id::formats
