#include "ops/config/text.hpp"

#include <algorithm>
#include <vector>

#include "core/error.hpp"
#include "core/keyed_hash.hpp"

namespace zerosuite::ops {
namespace {

constexpr std::size_t kLongest = 200;

bool printable(char c) { return c >= ' ' && c <= '~'; }

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

std::string concat(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (const std::string_view part : parts) out += part;
  return out;
}

std::string hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += {kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return out;
}

std::string pseudonym(std::string_view bytes) {
  const std::uint64_t hash = core::KeyedHash()(bytes);
  return hex({reinterpret_cast<const char*>(&hash), sizeof hash});
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text.substr(0, kLongest)) {
    if (c == '"' || c == '\\') out += '\\';
    if (printable(c)) {
      out += c;
    } else {
      out += concat({"\\x", hex({&c, 1})});
    }
  }
  return out + (text.size() > kLongest ? "...\"" : "\"");
}

std::string word_or_quoted(std::string_view text) {
  const auto plain = [](char c) { return printable(c) && c != ' ' && c != '"' && c != '\\' && c != '='; };
  const bool word = !text.empty() && text.size() <= kLongest && std::all_of(text.begin(), text.end(), plain);
  return word ? std::string(text) : quote(text);
}

std::optional<std::string> nearest(std::string_view name, std::span<const std::string> known) {
  // Cut before comparing: the table is quadratic and the name may come from anywhere.
  const std::string_view compared = name.substr(0, kLongest);
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

void refuse(const std::string& line) { throw core::Failure(core::kInvalidArgument, line); }

}  // namespace zerosuite::ops
