#include "core/text.hpp"

#include <sodium.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "core/error.hpp"

namespace zerosuite::core {
namespace {

constexpr std::size_t kLongestShown = 200;

bool is_printable(char c) { return c >= ' ' && c <= '~'; }

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

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

std::string hex(std::string_view bytes) {
  std::string digits(2 * bytes.size() + 1, '\0');  // plus libsodium's terminating null
  sodium_bin2hex(digits.data(), digits.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                 bytes.size());
  digits.pop_back();
  return digits;
}

bool unhex(std::string_view digits, std::span<unsigned char> out) {
  return digits.size() == 2 * out.size() &&
         sodium_hex2bin(out.data(), out.size(), digits.data(), digits.size(), nullptr, nullptr, nullptr) == 0;
}

std::string quote(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text.substr(0, kLongestShown)) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += is_printable(c) ? std::string(1, c) : "\\x" + hex({&c, 1});
  }
  return quoted + (text.size() > kLongestShown ? "...\"" : "\"");
}

std::string word_or_quoted(std::string_view text) {
  const auto is_plain = [](char c) {
    return is_printable(c) && c != ' ' && c != '"' && c != '\\' && c != '=';
  };
  const bool word =
      !text.empty() && text.size() <= kLongestShown && std::all_of(text.begin(), text.end(), is_plain);
  return word ? std::string(text) : quote(text);
}

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

std::optional<std::string> nearest(std::string_view name, std::span<const std::string> known) {
  // Cut before comparing: the cost is quadratic, and the name may be arbitrarily long.
  const std::string_view compared = name.substr(0, kLongestShown);
  std::size_t least = std::clamp<std::size_t>((compared.size() + 1) / 3, 1, 3) + 1;
  std::optional<std::string> best;
  for (const std::string& candidate : known) {
    const std::size_t d = distance(compared, candidate);
    if (d >= least) continue;
    least = d;
    best = candidate;
  }
  return best;
}

void check_range(std::string_view what, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value >= low && value <= high) return;
  throw Failure(kInvalidArgument, std::string(what) + " must be from " + std::to_string(low) + " to " +
                                      std::to_string(high) + ", not " + std::to_string(value));
}

}  // namespace zerosuite::core
