#include "ops/config/command_line.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cstdio>

#include "ops/config/text.hpp"

namespace zerosuite::ops {
namespace {

constexpr std::size_t kColumn = 32;
constexpr std::size_t kWidth = 110;

// Wraps the text into lines that fit to the right of kColumn.
std::string wrapped(std::string_view words) {
  std::string out;
  std::size_t length = 0;
  while (!words.empty()) {
    const std::string_view word = words.substr(0, words.find(' '));
    words.remove_prefix(std::min(words.size(), word.size() + 1));
    const bool fits = length + 1 + word.size() <= kWidth - kColumn;
    if (!out.empty()) out += fits ? ' ' : '\n';
    length = (fits && !out.empty() ? length + 1 : 0) + word.size();
    out += word;
  }
  return out;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ",") + word;
  return out;
}

std::string group_of(const Program& program, Scope scope) {
  const std::string own(program.name);
  switch (scope) {
    case Scope::kCommand:
      return "For one start";
    case Scope::kOwn:
      return "Also keys of [" + own + "] in the file";
    case Scope::kShared:
      return "Also keys of [suite] or [" + own + "] in the file";
    case Scope::kSecret:
      break;
  }
  return {};
}

}  // namespace

struct CommandLine::Parser final : CLI::App {
  using CLI::App::App;
};

CommandLine::CommandLine(const OptionTable& options)
    : options_(options), parser_(std::make_unique<Parser>(std::string(options.program().summary))) {
  const Program& program = options.program();
  parser_->name(program.executable_name());
  parser_->allow_extras();  // so that the error for an unknown flag can name the nearest one
  parser_->get_formatter()->column_width(kColumn);
  for (const Option& option : options.all()) {
    if (option.scope() != Scope::kSecret) add(option);
  }
  parser_->set_help_flag("-h,--help", "Prints this text.")->group(group_of(program, Scope::kCommand));
  parser_
      ->set_version_flag("-V,--version", program.executable_name() + " " + std::string(program.version),
                         "Prints the version.")
      ->group(group_of(program, Scope::kCommand));
  std::string footer = "A flag overrides its environment variable, which overrides the file.\n";
  for (const Option& option : options.all()) {
    if (option.scope() == Scope::kSecret)
      footer += "In the environment only: " + options.variables(option).front() + ". " + option.help() + "\n";
  }
  parser_->footer(footer);
}

CommandLine::~CommandLine() = default;

void CommandLine::add(const Option& option) {
  CLI::Option* flag = nullptr;
  if (option.is_switch()) {
    flag = parser_->add_flag(option.flag());
    if (option.scope() == Scope::kCommand) flag->disable_flag_override();
  } else {
    flag = parser_->add_option(option.flag());
    flag->option_text(option.argument());
    flag->expected(1);
    flag->multi_option_policy(option.is_list() ? CLI::MultiOptionPolicy::TakeAll
                                               : CLI::MultiOptionPolicy::Throw);
  }
  flag->description(describe(option))->group(group_of(options_.program(), option.scope()));
}

std::string CommandLine::describe(const Option& option) const {
  const std::vector<std::string> variables = options_.variables(option);
  std::string from;
  if (!option.is_switch() && option.scope() != Scope::kCommand) {
    const std::string unit(option.unit());
    from = "default " + option.to_toml() + (unit.empty() ? "" : " " + unit) + "; ";
  }
  for (const std::string& variable : variables)
    from += (&variable == &variables.front() ? "" : " or ") + variable;
  return wrapped(option.help()) + (from.empty() ? "" : "\n" + wrapped(from));
}

std::string CommandLine::help() const { return parser_->help(); }

bool CommandLine::read(const std::vector<std::string>& arguments, Origins& origins) {
  try {
    parser_->parse(
        std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // CLI11 expects them last first
  } catch (const CLI::CallForHelp&) {
    std::fputs(help().c_str(), stdout);
    return false;
  } catch (const CLI::CallForVersion& version) {
    std::puts(version.what());
    return false;
  } catch (const CLI::ParseError& error) {
    refuse_use(error.what());
  }
  if (!parser_->remaining().empty()) refuse_unknown(parser_->remaining().front());
  for (const Option& option : options_.all()) {
    if (option.scope() == Scope::kSecret) continue;
    const CLI::Option& flag = *parser_->get_option(option.flag());
    if (flag.count() == 0) continue;
    const std::vector<std::string>& words = flag.results();
    if (!option.set(words)) refuse_value(option, quote(joined(words)), option.flag());
    origins[option.name()] = option.flag();
  }
  return true;
}

void CommandLine::refuse_unknown(const std::string& argument) const {
  if (!argument.starts_with("-")) refuse("unexpected argument " + quote(argument));
  const std::string name = argument.substr(0, argument.find('='));
  std::vector<std::string> known = {"--help", "--version"};
  for (const Option& option : options_.all()) {
    if (option.scope() != Scope::kSecret) known.push_back(option.flag());
  }
  const auto meant = nearest(name, known);
  refuse("unknown flag " + word_or_quoted(name) +
         (meant ? "; did you mean " + *meant + "?" : std::string("; try --help")));
}

// CLI11 throws when a flag has no value, has one too many, or is repeated where it must not be. Its messages
// begin with the flag, but are otherwise worded for programmers, so they are replaced here.
void CommandLine::refuse_use(const std::string& reason) const {
  const std::string named = reason.substr(0, reason.find_first_of(": "));
  for (const Option& option : options_.all()) {
    const std::string flag = option.flag();
    if (flag != named && flag != "--" + named) continue;
    refuse(flag + (option.is_switch() ? " takes no value" : " takes one " + option.argument()));
  }
  refuse(reason);
}

}  // namespace zerosuite::ops
