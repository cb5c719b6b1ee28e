#include "core/text.hpp"

#include <sodium.h>

#include <algorithm>
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
