#include "ops/help.hpp"

#include <algorithm>

#include "ops/text.hpp"

namespace zerosuite::ops {
namespace {

constexpr std::size_t kColumn = 24;

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
  std::string out = concat({head, option.help, "\n"});
  if (!more.empty()) out += concat({std::string(kColumn, ' '), more, "\n"});
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
