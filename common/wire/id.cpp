#include "wire/id.hpp"

#include <algorithm>

#include "core/random.hpp"
#include "core/text.hpp"

namespace zerosuite::wire {
namespace {

constexpr std::size_t kPrefix = 2;  // c4 20
constexpr std::size_t kHalf = 16;   // hex characters of 64 bits

}  // namespace

IdSource::IdSource() {
  encoded_.fill('0');
  encoded_[0] = static_cast<char>(0xc4);
  encoded_[1] = 32;
  char* const base = encoded_.data() + kPrefix;
  std::array<char, kHalf> digits;
  const auto [end, error] = std::to_chars(digits.begin(), digits.end(), core::random_bits(), 16);
  std::copy_backward(digits.begin(), end, base + kHalf);
}

std::string_view IdSource::next() {
  ++count_;
  // Counts in hex in place: most calls write one digit, where formatting would write sixteen.
  for (char* digit = encoded_.data() + kSize - 1;; --digit) {
    if (*digit == '9') {
      *digit = 'a';
      break;
    }
    if (*digit != 'f') {
      ++*digit;
      break;
    }
    *digit = '0';
  }
  return {encoded_.data(), encoded_.size()};
}

std::optional<std::uint64_t> IdSource::count_of(std::string_view text) const {
  if (text.size() != 2 * kHalf) return {};
  if (text.substr(0, kHalf) != std::string_view(encoded_.data() + kPrefix, kHalf)) return {};
  return core::parse<std::uint64_t>(text.substr(kHalf), 16);
}

}  // namespace zerosuite::wire
