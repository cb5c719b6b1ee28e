// The variables ZEROSUITE_… of a program's environment.
#pragma once

#include <map>
#include <string>

#include "core/secret.hpp"
#include "ops/config/option_table.hpp"

namespace zerosuite::ops {

using Environment = std::map<std::string, std::string, std::less<>>;
/// By the option's name.
using Secrets = std::map<std::string, core::SecretText, std::less<>>;

/// The environment of this process.
Environment environment();

/// Takes the values of the program's secret options out of this process's environment. They are overwritten
/// there, so that /proc/PID/environ and child processes no longer show them. To be called before any thread
/// is started.
Secrets take_secrets(const OptionTable& options);

/// Sets the secret options. Throws core::Failure InvalidArgument for one that is empty.
void set_secrets(const OptionTable& options, const Secrets& secrets, Origins& origins);

/// Sets the options, except secrets, from the variables; the program's own variable overrides the shared one.
/// Throws core::Failure InvalidArgument, one line, for a value that is not valid for its key, and for a
/// variable that is probably a misspelling of one of the program's.
void read_environment(const OptionTable& options, const Environment& environment, Origins& origins);

}  // namespace zerosuite::ops
