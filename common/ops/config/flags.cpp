#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "core/error.hpp"
#include "ops/config/config.hpp"
#include "ops/config/text.hpp"

namespace zerosuite::ops {
namespace {

[[noreturn]] void refuse_unknown(std::span<const Option> options, const std::string& argument) {
  if (!argument.starts_with("-")) refuse(concat({"unexpected argument ", quote(argument)}));
  const std::string name = argument.substr(0, argument.find('='));
  std::vector<std::string> known;
  for (const Option& option : options) {
    if (option.is_flag()) known.push_back(option.flag());
  }
  const auto meant = nearest(name, known);
  refuse(concat({"unknown flag ", word_or_quoted(name), meant ? "; did you mean " : "; try ",
                 meant.value_or("--help"), meant ? "?" : ""}));
}

/// CLI11 throws when a flag has no value, has one too many, or stands twice where once is meant. Its texts
/// name the flag, and say the rest in the words of a parser.
[[noreturn]] void refuse_use(std::span<const Option> options, const std::string& reason) {
  for (const Option& option : options) {
    if (!option.is_flag() || reason.find(option.flag().substr(2)) == std::string::npos) continue;
    if (option.argument.empty()) refuse(concat({option.flag(), " takes no value"}));
    refuse(concat({option.flag(), " takes one ", option.argument}));
  }
  refuse(reason);
}

bool is_list(const Option& option) {
  return option.type == Type::kEndpoints || option.type == Type::kProxies;
}

Value value_of(const Option& option, const std::vector<std::string>& given) {
  if (option.type == Type::kSwitch) return true;
  std::string all;
  for (const std::string& text : given) all += concat({all.empty() ? "" : ",", text});
  return parse(option, all, option.flag());
}

}  // namespace

Settings read_flags(std::span<const Option> options, const std::vector<std::string>& arguments) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  std::map<std::string_view, std::vector<std::string>> given;
  for (const Option& option : options) {
    if (!option.is_flag()) continue;
    if (option.type == Type::kSwitch) {
      app.add_flag(option.flag())->disable_flag_override();
      continue;
    }
    CLI::Option* flag = app.add_option(option.flag(), given[option.name]);
    flag->expected(1);
    flag->multi_option_policy(is_list(option) ? CLI::MultiOptionPolicy::TakeAll
                                              : CLI::MultiOptionPolicy::Throw);
  }
  try {
    app.parse(
        std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // as CLI11 wants it: last first
  } catch (const CLI::ParseError& error) {
    refuse_use(options, error.what());
  }
  if (!app.remaining().empty()) refuse_unknown(options, app.remaining().front());

  Settings settings;
  for (const Option& option : options) {
    if (!option.is_flag() || app.count(option.flag()) == 0) continue;
    settings[std::string(option.name)] = {value_of(option, given[option.name]), option.flag()};
  }
  return settings;
}

}  // namespace zerosuite::ops
