// The variables ZEROSUITE_… of a program's environment.
#pragma once

#include <map>
#include <string>

#include "core/secret.hpp"
#include "ops/config/option.hpp"

namespace zerosuite::ops {

using Environment = std::map<std::string, std::string, std::less<>>;
/// By the option's name.
using Secrets = std::map<std::string, core::SecretText, std::less<>>;

/// This process' own.
Environment environment();

/// Takes what is given for the program's secret options out of this process' environment. It is overwritten
/// there, so that /proc/PID/environ, which a child and a curious user can read, does not show it any longer.
/// To be called before any thread is started.
Secrets take_secrets(const Options& options);

/// Sets the secret options. Throws core::Failure InvalidArgument for one that is empty.
void set_secrets(const Options& options, Secrets secrets, Origins& origins);

/// Sets what the variables say, but for secrets: the program's own variable overrides the shared one. Throws
/// core::Failure InvalidArgument, one line, for a value that its key may not have, and for a variable that is
/// nearly one of the program's.
void read_environment(const Options& options, const Environment& environment, Origins& origins);

}  // namespace zerosuite::ops
