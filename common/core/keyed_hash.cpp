#include "core/keyed_hash.hpp"

#include <sodium.h>

#include <array>

#include "core/random.hpp"

namespace zerosuite::core {
namespace {

using Key = std::array<std::byte, crypto_shorthash_siphash24_KEYBYTES>;

Key random_key() {
  Key key;
  fill_random(key);
  return key;
}

std::size_t hash(const void* data, std::size_t size) {
  static const Key key = random_key();
  std::size_t sum = 0;
  static_assert(sizeof sum == crypto_shorthash_siphash24_BYTES);
  crypto_shorthash_siphash24(reinterpret_cast<unsigned char*>(&sum), static_cast<const unsigned char*>(data),
                             size, reinterpret_cast<const unsigned char*>(key.data()));
  return sum;
}

}  // namespace

std::size_t KeyedHash::operator()(std::string_view text) const { return hash(text.data(), text.size()); }

std::size_t KeyedHash::operator()(std::span<const std::byte> bytes) const {
  return hash(bytes.data(), bytes.size());
}

std::size_t KeyedHash::operator()(std::uint64_t number) const { return hash(&number, sizeof number); }

}  // namespace zerosuite::core
