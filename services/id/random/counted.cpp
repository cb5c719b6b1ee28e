#include "id/random/counted.hpp"

#include "id/text/number.hpp"

namespace zerosuite::id::formats {
namespace {

/// The id's 96 bits, and `zeros` below them.
Number128 number(const Counted& id, int zeros) {
  const std::uint64_t low = id.process << 24 | id.counter;
  const std::uint64_t high = id.seconds;
  return {zeros == 0 ? high : high << zeros | low >> (64 - zeros), low << zeros};
}

}  // namespace

std::string xid_text(const Counted& id) {
  constexpr int kFilled = 20 * 5 - 96;  // the last digit's lower bits
  std::string text(20, '\0');
  write(number(id, kFilled), kBase32Digits, text);
  return text;
}

std::string objectid_text(const Counted& id) {
  std::string text(24, '\0');
  write(number(id, 0), kHexDigits, text);
  return text;
}

}  // namespace zerosuite::id::formats
