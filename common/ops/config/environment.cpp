#include "ops/config/environment.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "core/error.hpp"
#include "ops/config/text.hpp"

namespace zerosuite::ops {
namespace {

bool is_for_another(const Program& program, std::string_view variable) {
  return std::any_of(kPrograms.begin(), kPrograms.end(), [&](std::string_view other) {
    return other != program.name && variable.starts_with(environment_prefix(other));
  });
}

// A variable whose name is close to a known one is an error. Other unknown names are ignored: container
// platforms define variables with the same prefix.
void check_names(const OptionTable& options, const Environment& environment) {
  std::vector<std::string> known;
  for (const Option& option : options.all()) {
    for (std::string& variable : options.variables(option)) known.push_back(std::move(variable));
  }
  for (auto it = environment.lower_bound("ZEROSUITE_"); it != environment.end(); ++it) {
    if (!it->first.starts_with("ZEROSUITE_")) break;
    if (std::find(known.begin(), known.end(), it->first) != known.end()) continue;
    if (is_for_another(options.program(), it->first)) continue;
    if (const auto meant = nearest(it->first, known))
      refuse("unknown environment variable " + word_or_quoted(it->first) + "; did you mean " + *meant + "?");
  }
}

}  // namespace

Environment environment() {
  Environment all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) all.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return all;
}

Secrets take_secrets(const OptionTable& options) {
  Secrets secrets;
  for (const Option& option : options.all()) {
    if (option.scope() != Scope::kSecret) continue;
    for (const std::string& variable : options.variables(option)) {
      // All entries: execve(2) allows duplicates, and unsetenv(3) does not erase the text.
      for (char** entry = environ; *entry != nullptr; ++entry) {
        if (!std::string_view(*entry).starts_with(variable + "=")) continue;
        const std::string_view value = std::string_view(*entry).substr(variable.size() + 1);
        secrets.try_emplace(option.name(), core::secret_text(value));
        core::wipe(*entry + variable.size() + 1, value.size());
      }
      ::unsetenv(variable.c_str());
    }
  }
  return secrets;
}

void set_secrets(const OptionTable& options, const Secrets& secrets, Origins& origins) {
  for (const auto& [name, secret] : secrets) {
    const Option* const option = options.find(name);
    const std::string variable = options.variables(*option).front();
    if (secret.empty()) refuse_value(*option, quote(""), variable);
    option->set_secret(secret);
    origins[name] = variable;
  }
}

void read_environment(const OptionTable& options, const Environment& environment, Origins& origins) {
  check_names(options, environment);
  for (const Option& option : options.all()) {
    if (option.scope() == Scope::kSecret) continue;
    const std::vector<std::string> variables = options.variables(option);
    for (auto variable = variables.rbegin(); variable != variables.rend(); ++variable) {  // weakest first
      const auto found = environment.find(*variable);
      if (found == environment.end()) continue;
      if (!option.set({found->second})) refuse_value(option, quote(found->second), *variable);
      origins[option.name()] = *variable;
    }
  }
}

}  // namespace zerosuite::ops
