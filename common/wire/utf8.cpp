#include "wire/utf8.hpp"

#include <cstdint>
#include <cstring>

namespace zerosuite::wire {
namespace {

bool is_continuation(unsigned char byte) { return (byte & 0xc0) == 0x80; }

// The size of the well-formed sequence at `at` (first byte not ASCII), 0 when it is malformed; RFC 3629
// section 4.
std::size_t sequence(const unsigned char* at, std::size_t left) {
  const unsigned char lead = at[0];
  if (left < 2 || lead < 0xc2 || lead > 0xf4 || !is_continuation(at[1])) return 0;
  if (lead < 0xe0) return 2;
  if (left < 3 || !is_continuation(at[2])) return 0;
  if (lead < 0xf0) {
    const bool overlong = lead == 0xe0 && at[1] < 0xa0;
    const bool surrogate = lead == 0xed && at[1] > 0x9f;
    return overlong || surrogate ? 0 : 3;
  }
  if (left < 4 || !is_continuation(at[3])) return 0;
  const bool overlong = lead == 0xf0 && at[1] < 0x90;
  const bool too_big = lead == 0xf4 && at[1] > 0x8f;
  return overlong || too_big ? 0 : 4;
}

}  // namespace

bool is_utf8(std::string_view text) {
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t left = text.size();
  while (left > 0) {
    if (left >= 8) {  // eight ASCII bytes at a time, which is nearly all text
      std::uint64_t word;
      std::memcpy(&word, at, 8);
      if ((word & 0x8080808080808080ULL) == 0) {
        at += 8;
        left -= 8;
        continue;
      }
    }
    const std::size_t size = *at < 0x80 ? 1 : sequence(at, left);
    if (size == 0) return false;
    at += size;
    left -= size;
  }
  return true;
}

}  // namespace zerosuite::wire
