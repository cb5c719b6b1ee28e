#include "ops/config/help.hpp"

#include <algorithm>
#include <utility>

#include "ops/config/text.hpp"

namespace zerosuite::ops {
namespace {

constexpr std::size_t kColumn = 24;
constexpr std::size_t kWidth = 110;

// `words` after `line`, which has kColumn characters or more; broken between words into lines of kWidth that
// begin at kColumn.
std::string wrapped(std::string line, std::string_view words) {
  std::string out;
  for (bool first = true; !words.empty(); first = false) {
    const std::string_view word = words.substr(0, words.find(' '));
    words.remove_prefix(std::min(words.size(), word.size() + 1));
    if (!first && line.size() + 1 + word.size() > kWidth) {
      out += concat({line, "\n"});
      line.assign(kColumn, ' ');
    } else if (!first) {
      line += ' ';
    }
    line += word;
  }
  return concat({out, line, "\n"});
}

std::string origins(const Program& program, const Option& option) {
  const auto variables = environment_names(program, option);
  if (variables.empty()) return {};
  std::string out;
  if (option.initial != Value(std::string()) && option.initial != Value(false)) {
    out = concat({"default ", to_toml(option.initial), option.unit.empty() ? "" : " ", option.unit, "; "});
  }
  out += variables.front();
  if (variables.size() > 1) out += concat({" or ", variables.back()});
  return out;
}

std::string entry(const Program& program, const Option& option) {
  std::string head =
      concat({"  ", option.is_flag() ? option.flag() : std::string(option.name), " ", option.argument});
  head.resize(std::max(kColumn, head.size() + 1), ' ');
  const std::string more = origins(program, option);
  std::string out = wrapped(std::move(head), option.help);
  if (!more.empty()) out += wrapped(std::string(kColumn, ' '), more);
  return out;
}

}  // namespace

std::string help(const Program& program, std::span<const Option> options) {
  std::string flags;
  std::string keys;
  std::string secrets;
  for (const Option& option : options)
    (option.is_flag() ? flags : option.scope == Scope::kSecret ? secrets : keys) += entry(program, option);
  if (!secrets.empty()) secrets = "\nIn the environment only:\n" + secrets;
  return concat({"zerosuite-", program.name, ": ", program.summary, "\n\nusage: zerosuite-", program.name,
                 " [flags]\n\nFlags:\n", flags, "\nKeys of the configuration file, for [", program.name,
                 "] or [suite]:\n", keys, secrets,
                 "\nA flag overrides its variable ZEROSUITE_..., which overrides the file.\n"});
}

}  // namespace zerosuite::ops
