#include "ops/config/config.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include "core/error.hpp"
#include "ops/config/endpoint.hpp"
#include "ops/config/text.hpp"

namespace zerosuite::ops {
namespace {

/// Settings of `layer` that nobody stronger has made.
void add_weaker(Settings& settings, Settings layer) { settings.merge(layer); }

Settings initial_settings(std::span<const Option> options) {
  Settings settings;
  for (const Option& option : options)
    settings[std::string(option.name)] = {option.initial, std::string(option.name)};
  return settings;
}

bool speaks_to_another(const Program& program, std::string_view variable) {
  return std::any_of(kPrograms.begin(), kPrograms.end(), [&](std::string_view other) {
    return other != program.name && variable.starts_with(environment_prefix(other));
  });
}

}  // namespace

Settings read_environment(const Program& program, std::span<const Option> options,
                          const Environment& environment) {
  Settings settings;
  std::vector<std::string> known;
  for (const Option& option : options) {
    for (const std::string& variable : environment_names(program, option)) {
      known.push_back(variable);
      if (option.scope == Scope::kSecret) continue;
      const auto found = environment.find(variable);
      if (found == environment.end() || settings.contains(option.name)) continue;
      settings[std::string(option.name)] = {parse(option, found->second, variable), variable};
    }
  }
  for (auto it = environment.lower_bound("ZEROSUITE_"); it != environment.end(); ++it) {
    if (!it->first.starts_with("ZEROSUITE_")) break;
    if (std::find(known.begin(), known.end(), it->first) != known.end()) continue;
    // Names far from ours are let pass: container platforms put variables of their own beside them.
    if (speaks_to_another(program, it->first)) continue;
    if (const auto meant = nearest(it->first, known)) {
      throw core::Failure(core::kInvalidArgument,
                          concat({"unknown environment variable ", word_or_quoted(it->first),
                                  "; did you mean ", *meant, "?"}));
    }
  }
  return settings;
}

GivenSecrets take_secrets(const Program& program) {
  GivenSecrets secrets;
  for (const Option& option : options_of(program)) {
    if (option.scope != Scope::kSecret) continue;
    for (const std::string& variable : environment_names(program, option)) {
      // All of them: execve(2) lets a variable stand there twice, and unsetenv(3) only forgets where.
      for (char** entry = environ; *entry != nullptr; ++entry) {
        if (!std::string_view(*entry).starts_with(variable + "=")) continue;
        const std::string_view value = std::string_view(*entry).substr(variable.size() + 1);
        secrets.try_emplace(std::string(option.name), core::secret_text(value));
        core::wipe(*entry + variable.size() + 1, value.size());
      }
      ::unsetenv(variable.c_str());
    }
  }
  return secrets;
}

Config::Config(const Program& program, const Settings& flags, const Environment& environment,
               std::shared_ptr<const GivenSecrets> secrets)
    : settings_(flags), secrets_(std::move(secrets)) {
  const std::vector<Option> options = options_of(program);
  add_weaker(settings_, read_environment(program, options, environment));
  if (settings_.contains("config")) add_weaker(settings_, read_file(program, options, text("config")));
  add_weaker(settings_, initial_settings(options));
  for (const Option& option : options) {
    const core::SecretText* const given = secret(option.name);
    if (given != nullptr && given->empty())
      refuse_value(option, quote(""), environment_names(program, option).front());
  }
  check_reach(options);
}

void Config::check_reach(std::span<const Option> options) const {
  if (on("insecure")) return;
  for (const Option& option : options) {
    if (option.type != Type::kEndpoints) continue;
    for (const std::string& endpoint : list(option.name)) {
      if (is_local(endpoint)) continue;
      throw core::Failure(
          core::kInvalidArgument,
          concat({setting(option.name).subject, " ", word_or_quoted(endpoint),
                  " can be reached from other machines, without encryption; bind to 127.0.0.1, or "
                  "allow it with insecure = true"}));
    }
  }
}

std::size_t Config::rows(const TableOption& table) const {
  std::size_t count = 0;
  while (settings_.contains(cell_name(table.name, count, table.columns.front().name))) ++count;
  return count;
}

const core::SecretText* Config::secret(std::string_view name) const {
  const auto found = secrets_->find(name);
  return found == secrets_->end() ? nullptr : &found->second;
}

const Setting& Config::setting(std::string_view name) const {
  const auto found = settings_.find(name);
  if (found == settings_.end()) throw std::logic_error(concat({"no option ", name}));
  return found->second;
}

bool Config::on(std::string_view name) const { return std::get<bool>(setting(name).value); }

std::int64_t Config::integer(std::string_view name) const {
  return std::get<std::int64_t>(setting(name).value);
}

const std::string& Config::text(std::string_view name) const {
  return std::get<std::string>(setting(name).value);
}

const std::vector<std::string>& Config::list(std::string_view name) const {
  return std::get<std::vector<std::string>>(setting(name).value);
}

}  // namespace zerosuite::ops
