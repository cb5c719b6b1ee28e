// The body of every main(): `return ops::run({.name = "math", …}, argc, argv, [](ops::App& app) { …;
// app.serve(); });`
#pragma once

#include <functional>
#include <memory>

#include "ops/app.hpp"
#include "ops/config/program.hpp"

namespace zerosuite::ops {

/// Creates a configuration with default values only.
using MakeConfig = std::function<std::unique_ptr<Config>()>;

/// Reads flags, environment and file, handles --help, --version, --check and --print-config, and otherwise
/// calls `body` with an App. Returns the exit status: 0 after an orderly stop; 1, with the reason in one line
/// on stderr, when the program could not start or `body` threw. To be called before any thread is started.
int run(const Program& program, int argc, char** argv, const MakeConfig& make,
        const std::function<void(App&, const Config&)>& body);

/// The same for a program without keys of its own.
inline int run(const Program& program, int argc, char** argv, const std::function<void(App&)>& body) {
  return run(
      program, argc, argv, [] { return std::make_unique<Config>(); },
      [&body](App& app, const Config&) { body(app); });
}

/// The same for a program whose configuration has the type Own, derived from Config.
template <class Own, class Body>
int run(const Program& program, int argc, char** argv, const Body& body) {
  return run(
      program, argc, argv, [] { return std::make_unique<Own>(); },
      [&body](App& app, const Config& config) { body(app, static_cast<const Own&>(config)); });
}

}  // namespace zerosuite::ops
